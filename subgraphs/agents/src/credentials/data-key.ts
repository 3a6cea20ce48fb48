import { randomBytes } from 'node:crypto'
import type { Database } from '@tutti/prisma'
import type { Kms } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'

/** What operations on credentials work with. */
export interface CredentialServices {
  database: Database
  kms: Kms
}

/** A tenant's data key, opened. */
export interface DataKey {
  id: string
  version: number
  key: Buffer
}

const KEY_BYTES = 32
const boundTo = (organizationId: string, version: number) => [organizationId, String(version)]

interface Row {
  id: string
  version: number
  masterKey: string
  wrapped: Buffer
}

/** The tenant's data key, made when it has none. */
export async function currentDataKey(services: CredentialServices, actor: Actor): Promise<DataKey> {
  const existing = await readDataKey(services, actor)
  if (existing) return existing
  const { masterKey, wrapped } = await newDataKey(services.kms, actor.organizationId, 1)
  // Of two that make the first one, the later takes the earlier's.
  await services.database.transact(actor, (client) =>
    client.query(
      `insert into data_key (organization_id, version, master_key, wrapped) values ($1, 1, $2, $3)
       on conflict (organization_id, version) do nothing`,
      [actor.organizationId, masterKey, wrapped],
    ),
  )
  return (
    (await readDataKey(services, actor)) ?? fail('CONFLICT', { hint: 'Its key was just rotated; try again.' })
  )
}

/** The tenant's data key; undefined when it has none. */
export async function readDataKey(
  { database, kms }: CredentialServices,
  actor: Actor,
): Promise<DataKey | undefined> {
  const [row] = await database.readTenant<Row>(
    actor,
    `select id, version, master_key as "masterKey", wrapped from data_key
     where organization_id = $1::uuid order by version desc limit 1`,
    [actor.organizationId],
  )
  return row && openDataKey(kms, actor.organizationId, row)
}

/** Opens one as it is stored. Throws MasterKeyMissing when its master key is not known here. */
export async function openDataKey(kms: Kms, organizationId: string, row: Row): Promise<DataKey> {
  const { id, version } = row
  return { id, version, key: await kms.unwrap(row, boundTo(organizationId, version)) }
}

/** Makes one, wrapped with the current master key. */
export async function newDataKey(kms: Kms, organizationId: string, version: number) {
  const key = randomBytes(KEY_BYTES)
  return { key, ...(await kms.wrap(key, boundTo(organizationId, version))) }
}
