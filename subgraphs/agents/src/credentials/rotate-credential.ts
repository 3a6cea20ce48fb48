import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { CREDENTIAL_COLUMNS, type CredentialRow } from './credential-row.ts'
import { credentialValue, lastFourOf, sealValue } from './credential-value.ts'
import type { CredentialServices } from './data-key.ts'
import { holdDataKey, withDataKey } from './set-credential.ts'

const inputSchema = z.object({ id: z.string(), value: credentialValue })

/** Gives a credential another value; the old one is gone. Events: credential.rotated. NOT_FOUND when there is none. */
export async function rotateCredential(
  services: CredentialServices,
  actor: Actor,
  given: unknown,
): Promise<CredentialRow> {
  const { id, value } = parseInput(inputSchema, given)
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const { organizationId } = actor
  return withDataKey(services, actor, (dataKey) =>
    services.database.inTenant(actor, async (tx) => {
      if (!(await holdDataKey(tx.sql, organizationId, dataKey))) return undefined
      const [found] = await tx.sql<{ name: string }>(
        'select name from credential where organization_id = $1::uuid and id = $2::uuid for update',
        organizationId,
        id,
      )
      if (!found) fail('NOT_FOUND', { path: 'input.id' })
      const { nonce, ciphertext } = sealValue(dataKey.key, value, { organizationId, id, name: found.name })
      const [row] = await tx.sql<CredentialRow>(
        `update credential set data_key_id = $3::uuid, nonce = decode($4, 'base64'), ciphertext = decode($5, 'base64'),
           last_four = $6, rotated_at = now()
         where organization_id = $1::uuid and id = $2::uuid returning ${CREDENTIAL_COLUMNS}`,
        organizationId,
        id,
        dataKey.id,
        nonce.toString('base64'),
        ciphertext.toString('base64'),
        lastFourOf(value),
      )
      const data = { credentialId: id, name: found.name }
      await tx.appendEvent({ type: 'credential.rotated', subject: `credential/${id}`, data })
      return row
    }),
  )
}
