import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { filterToSql, type Searchable } from './filter-to-sql.ts'
import { parseFilter } from './patch-resource.ts'
import { ScimError } from './scim-error.ts'

/** As many a page has at most. */
export const MOST_RESULTS = 200
const RESULTS = 100

/** What a list is asked for: a filter, the number of the first from 1, and how many. */
export interface ListRequest {
  filter: string | null
  startIndex: number
  count: number
}

/** Some of them, and how many there are. */
export interface ListPage<Row> {
  rows: Row[]
  total: number
}

/** ScimError invalidValue for what is no number. */
export function readListRequest(query: Readonly<Record<string, string>>): ListRequest {
  const values = new Map(Object.entries(query).map(([name, value]) => [name.toLowerCase(), value]))
  const number = (name: string, otherwise: number): number => {
    const value = values.get(name)
    if (value === undefined) return otherwise
    if (!/^-?\d{1,9}$/.test(value)) throw new ScimError(400, `${name} is a whole number.`, 'invalidValue')
    return Number(value)
  }
  const filter = values.get('filter')
  return {
    filter: filter === undefined || filter.trim() === '' ? null : filter,
    startIndex: Math.max(1, number('startindex', 1)),
    count: Math.min(MOST_RESULTS, Math.max(0, number('count', RESULTS))),
  }
}

/** Reads a page. `from`: with the organization as $1, to which the filter's condition is added. */
export async function listOf<Row extends object>(
  { database }: DomainServices,
  actor: Actor,
  { filter, startIndex, count }: ListRequest,
  {
    columns,
    from,
    order,
    searchable,
  }: {
    columns: string
    from: string
    order: string
    searchable: Readonly<Record<string, Searchable>>
  },
): Promise<ListPage<Row>> {
  const parameters: unknown[] = [actor.organizationId]
  const condition = filter === null ? 'true' : filterToSql(parseFilter(filter), searchable, parameters)
  const [counted] = await database.readTenant<{ total: number }>(
    actor,
    `select count(*)::int as total from ${from} and ${condition}`,
    parameters,
  )
  const total = counted?.total ?? 0
  if (count === 0 || startIndex > total) return { rows: [], total }
  const rows = await database.readTenant<Row>(
    actor,
    `select ${columns} from ${from} and ${condition} order by ${order} limit ${count} offset ${startIndex - 1}`,
    parameters,
  )
  return { rows, total }
}
