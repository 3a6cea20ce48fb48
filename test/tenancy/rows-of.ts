import { createHash } from 'node:crypto'
import type { World } from '../world/start-world.ts'
import type { Table } from './catalog.ts'

/** A tenant's rows in every table. */
export interface Rows {
  /** Rows by table. */
  counts: Record<string, number>
  /** Changes when anything of it changes. */
  digest: string
  /** Whatever is in them that nobody else can know: ids, cursors made of ids, marks, hashes, keys' beginnings. */
  secrets: Set<string>
}

const SECRET = /\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{64}|tutti_[\w-]{6})\b/g
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** An entry of the audit trail is counted by itself, and not once more as an event. */
const LEFT_OUT: Record<string, string> = { 'log.event': ` and type <> 'audit.recorded'` }

/** The cursor of a row in a list. */
export const cursorOfId = (id: string): string => Buffer.from(id).toString('base64url')

/** What of a text nobody can guess, with the cursors that ids in it make. */
export const secretsOf = (text: string): string[] =>
  [...text.matchAll(SECRET)].flatMap(([secret]) =>
    UUID.test(secret) ? [secret, cursorOfId(secret)] : [secret],
  )

/** Reads them as the owner. A key's last use is left out: being asked for is no change. */
export async function readRows(
  world: World,
  tables: readonly Table[],
  organizationId: string,
): Promise<Rows> {
  const parts = tables.map(
    ({ name }) =>
      `select '${name}' as name, (to_jsonb(t) - 'last_used_at' - 'search')::text as row from ${name} t
       where organization_id = $1${LEFT_OUT[name] ?? ''}`,
  )
  const rows = await world.asOwner<{ name: string; row: string }>(
    `${parts.join(' union all ')} order by name, row`,
    [organizationId],
  )
  const counts = Object.fromEntries(tables.map(({ name }) => [name, 0]))
  const secrets = new Set<string>()
  const hash = createHash('sha256')
  for (const { name, row } of rows) {
    counts[name] = (counts[name] ?? 0) + 1
    hash.update(row)
    for (const secret of secretsOf(row)) secrets.add(secret)
  }
  return { counts, digest: hash.digest('hex'), secrets }
}
