import type { Actor } from '@tutti/schema'
import { openValue } from './credential-value.ts'
import { type CredentialServices, openDataKey } from './data-key.ts'

/** A credential as a worker uses it, for one call. */
export interface RevealedCredential {
  value: string
  /** The agent or provider it belongs to; both null: everybody's who names it. */
  agentId: string | null
  provider: string | null
  /** Where it may be sent; empty: anywhere. */
  origins: string[]
}

interface Row extends Omit<RevealedCredential, 'value'> {
  id: string
  nonce: Buffer
  ciphertext: Buffer
  keyId: string
  version: number
  masterKey: string
  wrapped: Buffer
  stale: boolean
}

/**
 * A credential's value, for workers only and right before it is used; undefined when there is none of this name. Its last
 * use is noted, to the minute. Throws SealBroken for a ciphertext of another place, MasterKeyMissing without its key.
 */
export async function revealCredential(
  { database, kms }: CredentialServices,
  actor: Actor,
  name: string,
): Promise<RevealedCredential | undefined> {
  const { organizationId } = actor
  // Key and ciphertext of one moment: a rotation of either is seen whole or not at all.
  const [row] = await database.readTenant<Row>(
    actor,
    `select c.id, c.nonce, c.ciphertext, c.agent_id as "agentId", c.provider, c.origins,
       k.id as "keyId", k.version, k.master_key as "masterKey", k.wrapped,
       coalesce(c.last_used_at < now() - interval '1 minute', true) as stale
     from credential c join data_key k on k.organization_id = c.organization_id and k.id = c.data_key_id
     where c.organization_id = $1::uuid and c.name = $2`,
    [organizationId, name],
  )
  if (!row) return undefined
  const { key } = await openDataKey(kms, organizationId, { ...row, id: row.keyId })
  const value = openValue(key, row, { organizationId, id: row.id, name })
  if (row.stale) {
    await database.transact(actor, (client) =>
      client.query(`update credential set last_used_at = now() where organization_id = $1 and id = $2`, [
        organizationId,
        row.id,
      ]),
    )
  }
  const { agentId, provider, origins } = row
  return { value, agentId, provider, origins }
}
