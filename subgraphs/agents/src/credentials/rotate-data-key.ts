import type { TenantTransaction } from '@tutti/prisma'
import { type Actor, fail } from '@tutti/schema'
import { openValue, sealValue } from './credential-value.ts'
import { type CredentialServices, type DataKey, newDataKey, readDataKey } from './data-key.ts'

const CHUNK = 500

/** What a rotation did. */
export interface DataKeyRotation {
  /** The new key's number. */
  version: number
  /** Credentials that were encrypted anew. */
  reencrypted: number
}

/**
 * Gives the tenant a new data key, wrapped with the current master key, and encrypts its credentials anew. One
 * transaction: broken off anywhere, everything is as before. The old key is gone afterwards. Before that, keys of data
 * subjects are wrapped with the current master key, also where there is no data key. Events: data_key.rotated.
 * NOT_FOUND when nothing was ever encrypted, CONFLICT when another rotation was first.
 */
export async function rotateDataKey(
  services: CredentialServices,
  actor: Actor,
  { reason }: { reason?: string | null | undefined } = {},
): Promise<DataKeyRotation> {
  const { organizationId } = actor
  if (reason?.includes('\0')) fail('BAD_INPUT', { path: 'input.reason', message: 'Holds a NUL character.' })
  await services.database.subjectKeys.rewrap(actor)
  const old = await readDataKey(services, actor)
  if (!old) fail('NOT_FOUND', { message: 'There is no data key yet: the first credential makes one.' })
  const version = old.version + 1
  const { key, masterKey, wrapped } = await newDataKey(services.kms, organizationId, version)
  return services.database.inTenant(actor, async (tx) => {
    // Whoever writes a value holds the key's row: they end first, and who comes later finds the new key.
    const [held] = await tx.sql(
      'select id from data_key where organization_id = $1::uuid and id = $2::uuid for update',
      organizationId,
      old.id,
    )
    if (!held) fail('CONFLICT', { message: 'It was rotated just now.' })
    const [made] = await tx.sql<{ id: string }>(
      `insert into data_key (organization_id, version, master_key, wrapped)
       values ($1::uuid, $2::int, $3, decode($4, 'base64')) returning id`,
      organizationId,
      version,
      masterKey,
      wrapped.toString('base64'),
    )
    if (!made) fail('INTERNAL')
    let reencrypted = 0
    for (let done = CHUNK; done === CHUNK; reencrypted += done) {
      done = await reencryptChunk(tx, old, { id: made.id, version, key })
    }
    await tx.sql(
      'delete from data_key where organization_id = $1::uuid and id = $2::uuid returning id',
      organizationId,
      old.id,
    )
    const data = { version, reencrypted, reason: reason ?? null }
    await tx.appendEvent({ type: 'data_key.rotated', subject: `data_key/${made.id}`, data })
    return { version, reencrypted }
  })
}

interface Stored {
  id: string
  name: string
  nonce: string
  ciphertext: string
}

/** Moves some credentials from a key to another; answers how many. */
async function reencryptChunk(tx: TenantTransaction, from: DataKey, to: DataKey): Promise<number> {
  const { organizationId } = tx.actor
  const rows = await tx.sql<Stored>(
    `select id, name, encode(nonce, 'base64') as nonce, encode(ciphertext, 'base64') as ciphertext from credential
     where organization_id = $1::uuid and data_key_id = $2::uuid order by id limit $3::int for update`,
    organizationId,
    from.id,
    CHUNK,
  )
  const anew = rows.map(({ id, name, nonce, ciphertext }) => {
    const place = { organizationId, id, name }
    const sealed = { nonce: Buffer.from(nonce, 'base64'), ciphertext: Buffer.from(ciphertext, 'base64') }
    const again = sealValue(to.key, openValue(from.key, sealed, place), place)
    return {
      id,
      nonce: again.nonce.toString('base64'),
      ciphertext: again.ciphertext.toString('base64'),
    }
  })
  await tx.sql(
    `update credential c set data_key_id = $2::uuid, nonce = decode(x.nonce, 'base64'), ciphertext = decode(x.ciphertext, 'base64')
     from jsonb_to_recordset($3::jsonb) as x(id uuid, nonce text, ciphertext text)
     where c.organization_id = $1::uuid and c.id = x.id returning c.id`,
    organizationId,
    to.id,
    JSON.stringify(anew),
  )
  return rows.length
}
