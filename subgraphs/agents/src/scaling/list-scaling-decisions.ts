import { type Connection, isId, type PageArguments, readPage } from '@tutti/runtime'
import { cursorOf, type EventData, type EventRecord, fail, seqOf } from '@tutti/schema'
import type { Context } from '../context.ts'
import type { LastChange } from './load-scaling.ts'

/** A change of an agent's instances, and who made it. */
export interface ScalingDecisionRow extends LastChange {
  by: EventRecord['actor']
}

interface Row {
  seq: bigint
  time: Date
  actor: EventRecord['actor']
  data: EventData<'agent.scaled'>
}

/** The changes of an agent's instances, newest first, as the event log has them. CURSOR_INVALID. */
export async function listScalingDecisions(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  agentId: string,
  { first, after }: PageArguments,
): Promise<Connection<ScalingDecisionRow>> {
  const { take } = readPage({ first })
  const before = after == null ? null : (seqOf(after) ?? fail('CURSOR_INVALID', { path: 'after' }))
  const rows = isId(agentId)
    ? await database.readTenant<Row>(
        actor,
        `select seq, time, actor, data from log.event
         where organization_id = $1 and subject = 'agent/' || $2 and run_id is null and type = 'agent.scaled'
           and ($3::bigint is null or seq < $3) order by seq desc limit $4`,
        [actor.organizationId, agentId, before, take],
      )
    : []
  const edges = rows.slice(0, take - 1).map((row) => ({ cursor: cursorOf(row.seq), node: decisionOf(row) }))
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: { hasNextPage: rows.length >= take, endCursor: edges.at(-1)?.cursor ?? null },
  }
}

const decisionOf = ({ time, actor, data }: Row): ScalingDecisionRow => ({
  at: time,
  from: data.from,
  to: data.to,
  cause: data.cause ?? 'manual',
  reason: data.reason,
  load: data.load ?? null,
  by: actor,
})
