import { actorRecord, type Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { type AgentMessageRow, messageColumns } from './agent-message.ts'

/** Given out so often without an acknowledgement, a message is dead. */
export const MOST_DELIVERIES = 10

/** What an inbox gave out. */
export interface Claimed {
  messages: AgentMessageRow[]
  /** Milliseconds until the next lease in it is over; null: none is under way. */
  nextInMs: number | null
}

type Row = AgentMessageRow & { isDead: boolean }

/**
 * Gives out of an inbox what nobody has under a lease, the most urgent first and then the oldest, each to one. What was
 * given out ten times and never acknowledged is dead instead.
 * Events: `message.dead_lettered`.
 */
export async function claimMessages(
  database: Database,
  actor: Actor,
  { agentId, most, leaseSeconds }: { agentId: string; most: number; leaseSeconds: number },
): Promise<Claimed> {
  const { organizationId } = actor
  const { rows, next } = await database.transact(actor, async (client) => {
    const given = await client.query<Row>(CLAIM, [
      organizationId,
      agentId,
      most,
      leaseSeconds,
      JSON.stringify(actorRecord(actor)),
    ])
    if (given.rows.length > 0) return { rows: given.rows, next: null }
    const { rows: leases } = await client.query<{ ms: number | null }>(
      `select (extract(epoch from min(lease_until) - clock_timestamp()) * 1000)::float8 as ms from agent_message
       where organization_id = $1 and to_agent_id = $2 and ended_at is null and lease_until is not null`,
      [organizationId, agentId],
    )
    return { rows: [], next: leases[0]?.ms ?? null }
  })
  const dead = rows.filter(({ isDead }) => isDead)
  if (dead.length > 0) database.announce()
  const messages = rows.flatMap(({ isDead, ...message }) => (isDead ? [] : [message]))
  messages.sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))
  // Only dead ones: there may be more behind them.
  return { messages, nextInMs: dead.length > 0 && messages.length === 0 ? 0 : next }
}

const CLAIM = `
  with chosen as materialized (
    select id, deliveries >= ${MOST_DELIVERIES} as dead from agent_message
    where organization_id = $1 and to_agent_id = $2 and ended_at is null and expires_at > clock_timestamp()
      and (lease_until is null or lease_until <= clock_timestamp())
    order by priority desc, id limit $3 for no key update skip locked
  ), moved as (
    update agent_message m set status = case when c.dead then 'dead' else 'delivered' end,
      deliveries = m.deliveries + case when c.dead then 0 else 1 end,
      lease_until = case when not c.dead then clock_timestamp() + $4 * interval '1 second' end,
      delivered_at = coalesce(m.delivered_at, clock_timestamp()),
      ended_at = case when c.dead then clock_timestamp() end,
      due_at = case when not c.dead then m.due_at end,
      dead_reason = case when c.dead then 'UNACKNOWLEDGED' end
    from chosen c where m.organization_id = $1 and m.id = c.id
    returning m.*
  ), told as (
    insert into log.event (organization_id, type, subject, actor, data)
    select organization_id, 'message.dead_lettered', 'message/' || id, $5::jsonb, jsonb_build_object('messageId', id,
      'kind', kind, 'fromAgentId', from_agent_id, 'toAgentId', to_agent_id, 'reason', dead_reason)
    from moved where status = 'dead'
  )
  select ${messageColumns('m')}, m.status = 'dead' as "isDead" from moved m`
