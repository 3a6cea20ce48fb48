import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { prose } from '../input/text.ts'
import { type LoginServices, secretBelongsTo } from './identity-provider-row.ts'

const inputSchema = z.object({ reason: prose().nullish() })

interface Stored {
  id: string
  issuer: string
  masterKey: string
  wrapped: Buffer
}

/**
 * Wraps the secrets of the organization's identity providers with the current master key, where another one wraps them;
 * answers how many. Audit: an execution. Throws MasterKeyMissing when the other one is not known here.
 */
export async function rewrapIdentityProviders(
  { database, kms }: LoginServices,
  actor: Actor,
  input: unknown,
): Promise<number> {
  const { reason } = parseInput(inputSchema, input)
  const { organizationId } = actor
  const stored = await database.readTenant<Stored>(
    actor,
    `select id, issuer, master_key as "masterKey", wrapped from identity_provider
     where organization_id = $1 and master_key <> $2 order by id`,
    [organizationId, kms.current],
  )
  const rewrapped = await Promise.all(
    stored.map(async (row) => {
      const belongsTo = secretBelongsTo(organizationId, row.issuer)
      const { masterKey, wrapped } = await kms.wrap(await kms.unwrap(row, belongsTo), belongsTo)
      return { id: row.id, before: row.wrapped, masterKey, wrapped }
    }),
  )
  if (rewrapped.length === 0) return 0
  return database.inTenant(actor, async (tx) => {
    const written: string[] = []
    for (const { id, before, masterKey, wrapped } of rewrapped) {
      // One that was set anew meanwhile is as it was set.
      const rows = await tx.sql<{ id: string }>(
        `update identity_provider set master_key = $3, wrapped = decode($4, 'base64')
         where organization_id = $1::uuid and id = $2::uuid and wrapped = decode($5, 'base64') returning id`,
        organizationId,
        id,
        masterKey,
        wrapped.toString('base64'),
        before.toString('base64'),
      )
      written.push(...rows.map((row) => row.id))
    }
    if (written.length === 0) return 0
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: 'Secrets of identity providers were wrapped by another master key.',
      details: {
        context: { identityProviders: written, masterKey: kms.current },
        reasoning: reason ?? '',
        outcome: `${written.length} rewrapped`,
      },
      significance: 'significant',
      subject: `organization/${organizationId}`,
    })
    return written.length
  })
}
