import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { API_KEY_COLUMNS, API_KEY_TABLES, type ApiKeyRow } from './api-key-row.ts'
import { behind } from './behind.ts'
import { effectiveAccess } from './effective-access.ts'
import { granting } from './granting.ts'
import { requireLasting } from './held-until.ts'
import { hashOf, newSecret, prefixOf } from './key-secret.ts'
import { readPrincipals } from './read-principal.ts'
import { requireGrantable } from './require-grantable.ts'

const DEFAULT_GRACE_SECONDS = 3_600
const MOST_GRACE_SECONDS = 7 * 86_400

const inputSchema = z.object({
  id: z.string(),
  graceSeconds: z
    .number()
    .int()
    .min(0, 'At least 0 seconds.')
    .max(MOST_GRACE_SECONDS, `At most ${MOST_GRACE_SECONDS} seconds, a week.`)
    .nullish(),
})

/** The new key and its secret, and until when the old one opens. */
export interface RotatedKey {
  apiKey: ApiKeyRow
  secret: string
  graceUntil: Date
}

/**
 * A new key in the place of one: of the same principal, with the same scopes and the same end. The old one opens for the
 * grace period, an hour unless said, and never longer than it would have. Events: credential.replaced. Audit: an
 * execution. NOT_FOUND; INVALID_STATE for a key that is taken back, over or replaced; FORBIDDEN for a key that opens more
 * than the caller's.
 */
export async function rotateApiKey(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<RotatedKey> {
  const { id, graceSeconds } = parseInput(inputSchema, input)
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return granting(services, actor, 'rotateApiKey', async (tx) => {
    const { organizationId } = actor
    const [old] = await tx.sql<{
      principalId: string
      scopes: string[]
      expiresAt: Date | null
      replacedBy: string | null
      opens: boolean
    }>(
      `select principal_id as "principalId", scopes, expires_at as "expiresAt", replaced_by as "replacedBy",
         revoked_at is null and (expires_at is null or expires_at > clock_timestamp()) as opens
       from api_key where organization_id = $1::uuid and id = $2::uuid for update`,
      organizationId,
      id,
    )
    if (!old) return fail('NOT_FOUND', { path: 'input.id' })
    if (old.replacedBy !== null || !old.opens) {
      fail('INVALID_STATE', {
        path: 'input.id',
        message:
          old.replacedBy === null ? 'The key opens nothing any more.' : 'The key was replaced already.',
        hint: 'Make a new one with createApiKey.',
      })
    }
    const [principal] = await readPrincipals(tx, [old.principalId], () => 'input.id')
    const access = effectiveAccess(principal?.roles ?? [], principal?.held ?? [], old.scopes)
    const opens = [...access.scopes, ...access.within.flatMap(({ scopes }) => scopes)]
    requireGrantable(actor, opens, 'input.id')
    if (old.principalId !== actor.id) requireLasting(actor, [...opens, 'access:manage'], 'input.id')

    const secret = newSecret()
    const made = await tx.db.apiKey.create({
      data: {
        organizationId,
        principalId: old.principalId,
        hash: hashOf(secret),
        prefix: prefixOf(secret),
        scopes: old.scopes,
        createdBy: behind(actor),
        expiresAt: old.expiresAt,
      },
    })
    const [replaced] = await tx.sql<{ graceUntil: Date }>(
      `update api_key set replaced_by = $3::uuid,
         expires_at = least(expires_at, clock_timestamp() + $4::int * interval '1 second')
       where organization_id = $1::uuid and id = $2::uuid returning expires_at as "graceUntil"`,
      organizationId,
      id,
      made.id,
      graceSeconds ?? DEFAULT_GRACE_SECONDS,
    )
    const [apiKey] = await tx.sql<ApiKeyRow>(
      `select ${API_KEY_COLUMNS} from ${API_KEY_TABLES} where k.organization_id = $1::uuid and k.id = $2::uuid`,
      organizationId,
      made.id,
    )
    if (!apiKey || !replaced) throw new Error('A key that was just written is not there.')
    const { graceUntil } = replaced
    await tx.appendEvent({
      type: 'credential.replaced',
      subject: `apiKey/${id}`,
      data: { credentialId: id, newCredentialId: made.id, graceUntil: graceUntil.toISOString() },
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `API key of ${apiKey.principalName} replaced`,
      details: { context: { prefix: apiKey.prefix, graceUntil, replacedKey: id }, outcome: 'replaced' },
      significance: 'significant',
      subject: `apiKey/${made.id}`,
      dataSubject: `person/${old.principalId}`,
    })
    return { apiKey, secret, graceUntil }
  })
}
