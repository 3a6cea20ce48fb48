import { randomUUID } from 'node:crypto'
import type pg from 'pg'

/** A table as PostgreSQL's catalog has it. */
export interface Table {
  /** Schema and name, as `public.run`. */
  name: string
  enabled: boolean
  forced: boolean
  /** Roles that a policy is for. */
  policyRoles: string[]
  primaryKey: string[]
  /** Columns here and there of each foreign key. */
  foreignKeys: { columns: string[]; references: string[] }[]
  columns: { name: string; type: string; generated: boolean }[]
}

/** Tables of nobody: where migrations and consumers of the log stand, and the key that checkpoints are signed with. */
export const WITHOUT_TENANT = ['log.consumer', 'log.signing_key', 'public._prisma_migrations']

const TABLES = `
  select n.nspname || '.' || c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
    coalesce((select array_agg(distinct r.rolname::text order by r.rolname::text) from pg_policy p, pg_roles r
      where p.polrelid = c.oid and r.oid = any(p.polroles)), '{}') as "policyRoles",
    coalesce((select array_agg(a.attname::text order by k.ord) from pg_constraint x, unnest(x.conkey) with ordinality k(n, ord),
      pg_attribute a where x.conrelid = c.oid and x.contype = 'p' and a.attrelid = c.oid and a.attnum = k.n), '{}') as "primaryKey",
    coalesce((select jsonb_agg(jsonb_build_object(
        'columns', (select jsonb_agg(a.attname order by k.ord) from unnest(x.conkey) with ordinality k(n, ord), pg_attribute a
          where a.attrelid = x.conrelid and a.attnum = k.n),
        'references', (select jsonb_agg(a.attname order by k.ord) from unnest(x.confkey) with ordinality k(n, ord), pg_attribute a
          where a.attrelid = x.confrelid and a.attnum = k.n)))
      from pg_constraint x where x.conrelid = c.oid and x.contype = 'f'), '[]') as "foreignKeys",
    (select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, null),
        'generated', a.attgenerated <> '' or a.attidentity <> '') order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'queue', 'log_partitions')
  order by 1`

/** Every table of the database but the queue's own and the log's partitions. */
export async function readTables(owner: pg.Client | pg.Pool): Promise<Table[]> {
  return (await owner.query<Table>(TABLES)).rows
}

/** A statement that inserts a row of this tenant, whatever the table: values follow from the columns' types. */
export function insertOf(table: Table, organizationId: string): { text: string; values: unknown[] } {
  const columns = table.columns.filter(
    ({ generated, type }) => !generated && type !== 'tsvector' && type !== 'xid8',
  )
  const values = columns.map(({ name, type }) =>
    name === 'organization_id' ? organizationId : valueOf(type, table.name),
  )
  const names = columns.map(({ name }) => `"${name}"`)
  const casts = columns.map(({ type }, index) => `$${index + 1}::${type}`)
  return { text: `insert into ${table.name} (${names.join()}) values (${casts.join()})`, values }
}

function valueOf(type: string, table: string): unknown {
  if (type.endsWith('[]')) return []
  switch (type) {
    case 'uuid':
      return randomUUID()
    case 'text':
      return `text-${randomUUID()}`
    case 'json':
    case 'jsonb':
      return '{}'
    case 'bytea':
      return Buffer.from('bytes')
    case 'boolean':
      return false
    case 'integer':
    case 'bigint':
    case 'numeric':
    case 'double precision':
      return 1
    case 'timestamp with time zone':
    case 'date':
      return new Date()
    default:
      throw new Error(`${table} has a column of type ${type}: say here what a value of it looks like.`)
  }
}
