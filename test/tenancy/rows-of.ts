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

/** A table's rows of one tenant, and which versions of them those are. */
interface Contents {
  versions: string
  count: number
  digest: string
  secrets: string[]
}

/** What was read last: of each world, by tenant. */
const lastRead = new WeakMap<World, Map<string, { contents: Map<string, Contents>; rows: Rows }>>()

/**
 * Reads them as the owner. A key's last use is left out: being asked for is no change. A table is read again only when
 * there are other versions of its rows than there were: whatever writes, even the same once more, makes a new one.
 */
export async function readRows(
  world: World,
  tables: readonly Table[],
  organizationId: string,
): Promise<Rows> {
  const known = lastRead.get(world) ?? new Map<string, { contents: Map<string, Contents>; rows: Rows }>()
  lastRead.set(world, known)
  const before = known.get(organizationId)
  const versions = await readVersions(world, tables, organizationId)
  const changed = tables.filter(({ name }) => before?.contents.get(name)?.versions !== versions.get(name))
  if (before && changed.length === 0 && before.contents.size === tables.length) return before.rows
  const read = await readContents(world, changed, organizationId)
  const contents = new Map<string, Contents>()
  for (const { name } of tables) {
    const anew = read.get(name)
    const own = anew ? { versions: versions.get(name) ?? '', ...anew } : before?.contents.get(name)
    if (own) contents.set(name, own)
  }
  const all = [...contents]
  const rows = {
    counts: Object.fromEntries(all.map(([name, { count }]) => [name, count])),
    digest: createHash('sha256')
      .update(all.map(([name, { digest }]) => `${name} ${digest}`).join())
      .digest('hex'),
    secrets: new Set(all.flatMap(([, { secrets }]) => secrets)),
  }
  known.set(organizationId, { contents, rows })
  return rows
}

/** Of each table, which versions of the tenant's rows there are: where each lies, and the transaction that wrote it. */
async function readVersions(
  world: World,
  tables: readonly Table[],
  organizationId: string,
): Promise<Map<string, string>> {
  const parts = tables.map(
    ({ name }) =>
      `select '${name}' as name, count(*) || ' ' || coalesce(sum(hashtextextended(
         t.tableoid::text || t.ctid::text || t.xmin::text, 0)), 0) as versions
       from ${name} t where organization_id = $1${LEFT_OUT[name] ?? ''}`,
  )
  const rows = await world.asOwner<{ name: string; versions: string }>(
    parts.join(' union all '),
    [organizationId],
    'versions of rows',
  )
  return new Map(rows.map(({ name, versions }) => [name, versions]))
}

async function readContents(
  world: World,
  tables: readonly Table[],
  organizationId: string,
): Promise<Map<string, Omit<Contents, 'versions'>>> {
  if (tables.length === 0) return new Map()
  const parts = tables.map(
    ({ name }) =>
      `select '${name}' as name, (to_jsonb(t) - 'last_used_at' - 'search')::text as row from ${name} t
       where organization_id = $1${LEFT_OUT[name] ?? ''}`,
  )
  const rows = await world.asOwner<{ name: string; row: string }>(
    `${parts.join(' union all ')} order by name, row`,
    [organizationId],
  )
  const byTable = Map.groupBy(rows, ({ name }) => name)
  return new Map(
    tables.map(({ name }) => {
      const own = (byTable.get(name) ?? []).map(({ row }) => row)
      const hash = createHash('sha256')
      for (const row of own) hash.update(row)
      return [name, { count: own.length, digest: hash.digest('hex'), secrets: own.flatMap(secretsOf) }]
    }),
  )
}
