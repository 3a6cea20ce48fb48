import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { BREAKER_COLUMNS, type BreakerRow } from './breaker-row.ts'

/** The breakers of agents, by the agent's id; one that was never changed is closed. */
export async function loadBreakersOfAgents(
  { database, actor }: Context,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, BreakerRow>> {
  const rows = await database.readTenant<BreakerRow>(
    actor,
    `select ${BREAKER_COLUMNS} from breaker where organization_id = $1::uuid and scope = 'agent' and subject = any($2)`,
    [actor.organizationId, agentIds.filter(isId)],
  )
  const known = new Map(rows.map((row) => [row.subject, row]))
  return new Map(agentIds.map((id) => [id, known.get(id) ?? neverChanged(id)]))
}

/** One page of those that were ever anything but closed, or had failures; oldest first. */
export async function listBreakers(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  page: PageArguments,
): Promise<Connection<BreakerRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<BreakerRow>(
    actor,
    `select ${BREAKER_COLUMNS} from breaker
     where organization_id = $1::uuid and ($2::uuid is null or id > $2::uuid) order by id limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}

const neverChanged = (subject: string): BreakerRow => ({
  id: subject,
  scope: 'agent',
  subject,
  state: 'closed',
  failures: [],
  openMs: 0,
  retryAt: null,
  error: null,
  changedAt: new Date(0),
})
