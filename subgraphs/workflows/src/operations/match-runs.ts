import type { Actor } from '@tutti/schema'
import { isId } from '@tutti/runtime'
import type pg from 'pg'
import type { RunStatus } from '../engine/core/index.ts'
import { refusalOf, type RunRefusal } from '../runs/control/run-refusal.ts'
import { type BulkAction, bulkSuitability } from './bulk-action.ts'
import { MOST_PROBLEMS } from './operation-row.ts'
import { filterValues, MATCHES, type RunFilter } from './run-filter.ts'

/** The runs that match now. */
export interface Matching {
  /** Matching runs, and ids that are nobody's. */
  total: number
  /** Ids that are nobody's. */
  missing: RunRefusal[]
  /** The newest run of them; null when there is none. */
  last: string | null
}

/** Counts what an operation will be about. */
export async function matchRuns(
  client: pg.PoolClient,
  { organizationId }: Actor,
  filter: RunFilter,
): Promise<Matching> {
  const values = filterValues(organizationId, filter)
  const { rows: counts } = await client.query<{ runs: number }>(
    `select count(*)::int as runs from run where ${MATCHES}`,
    values,
  )
  const { rows: newest } = await client.query<{ id: string }>(
    `select id from run where ${MATCHES} order by id desc limit 1`,
    values,
  )
  const missing = await findMissing(client, organizationId, filter.ids ?? [])
  return { total: (counts[0]?.runs ?? 0) + missing.length, missing, last: newest[0]?.id ?? null }
}

async function findMissing(
  client: pg.PoolClient,
  organizationId: string,
  ids: readonly string[],
): Promise<RunRefusal[]> {
  if (ids.length === 0) return []
  const { rows } = await client.query<{ id: string }>(
    'select id from run where organization_id = $1 and id = any($2::uuid[])',
    [organizationId, ids.filter(isId)],
  )
  const there = new Set(rows.map(({ id }) => id))
  return ids
    .filter((id) => !there.has(id))
    .map((runId) => ({ runId, code: 'NOT_FOUND', message: 'There is no such run.' }))
}

/** What an act would refuse of the matching runs as they are now: how many, and the first of them. */
export async function foreseeRefusals(
  client: pg.PoolClient,
  { organizationId }: Actor,
  action: BulkAction,
  filter: RunFilter,
): Promise<{ count: number; problems: RunRefusal[] }> {
  const values = filterValues(organizationId, filter)
  const { rows: byStatus } = await client.query<{ status: RunStatus; runs: number }>(
    `select status, count(*)::int as runs from run where ${MATCHES} group by status`,
    values,
  )
  const refused = byStatus.filter(({ status }) => bulkSuitability(action, status) === 'refused')
  if (refused.length === 0) return { count: 0, problems: [] }
  const { rows } = await client.query<{ id: string; status: string }>(
    `select id, status from run where ${MATCHES} and status = any($8) order by id limit ${MOST_PROBLEMS}`,
    [...values, refused.map(({ status }) => status)],
  )
  return {
    count: refused.reduce((sum, { runs }) => sum + runs, 0),
    problems: rows.map(({ id, status }) => refusalOf(id, status)),
  }
}
