import { eventActor, type Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { type AgentMessageRow, messageColumns } from './agent-message.ts'
import { shareTransaction } from './share-transaction.ts'

/** Given out so often without an acknowledgement, a message is dead. */
export const MOST_DELIVERIES = 10

/** What an inbox gave out. */
export interface Claimed {
  messages: AgentMessageRow[]
  /** Milliseconds until the next lease in it is over; null: none is under way. */
  nextInMs: number | null
}

/** Who takes out of which inbox, how many and for how long. */
interface Claiming {
  actor: Actor
  agentId: string
  most: number
  leaseSeconds: number
}

type Row = AgentMessageRow & { isDead: boolean }

/**
 * Gives out of an inbox what nobody has under a lease, the most urgent first and then the oldest, each to one; with all
 * inboxes of the organization that are looked into by this process at this moment. What was given out ten times and never
 * acknowledged is dead instead.
 * Events: `message.dead_lettered`.
 */
export function claimMessages(
  database: Database,
  actor: Actor,
  wanted: Omit<Claiming, 'actor'>,
): Promise<Claimed> {
  return claim(database, actor.organizationId, { actor, ...wanted })
}

const claim = shareTransaction<Claiming, Claimed>({
  most: 50,
  keyOf: ({ agentId }) => agentId,
  perform: async (database, acts) => {
    const [first] = acts
    if (!first) return []
    const { organizationId } = first.actor
    const { given, next } = await database.transact(first.actor, async (client) => {
      const wanted = acts.map(({ actor, agentId, most, leaseSeconds }) => ({
        agent_id: agentId,
        most,
        seconds: leaseSeconds,
        actor: eventActor(actor),
      }))
      const { rows } = await client.query<Row>(CLAIM, [
        organizationId,
        JSON.stringify(wanted),
        JSON.stringify(Object.fromEntries(wanted.map((each) => [each.agent_id, each]))),
      ])
      const given = Map.groupBy(rows, ({ toAgentId }) => toAgentId)
      const empty = acts.flatMap(({ agentId }) => (given.has(agentId) ? [] : [agentId]))
      if (empty.length === 0) return { given, next: new Map<string, number | null>() }
      const { rows: leases } = await client.query<{ agentId: string; ms: number | null }>(LEASES, [
        organizationId,
        empty,
      ])
      return { given, next: new Map(leases.map(({ agentId, ms }) => [agentId, ms])) }
    })
    const answers = acts.map(({ agentId }) => answerOf(given.get(agentId) ?? [], next.get(agentId) ?? null))
    if (answers.some(({ dead }) => dead)) database.announce()
    return answers
  },
})

function answerOf(rows: readonly Row[], next: number | null): Claimed & { dead: boolean } {
  const messages = rows.flatMap(({ isDead, ...message }) => (isDead ? [] : [message]))
  messages.sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))
  const dead = messages.length < rows.length
  // Only dead ones: there may be more behind them.
  return { messages, nextInMs: dead && messages.length === 0 ? 0 : next, dead }
}

const isWornOut = `(m.deliveries >= ${MOST_DELIVERIES})`

// Rows are looked up by key and nothing is joined: a planner that takes the table for small would compare each with each.
const CLAIM = `
  with chosen as materialized (
    select c.id from jsonb_to_recordset($2::jsonb) as w(agent_id uuid, most int)
    cross join lateral (
      select id from agent_message
      where organization_id = $1 and to_agent_id = w.agent_id and ended_at is null and expires_at > clock_timestamp()
        and (lease_until is null or lease_until <= clock_timestamp())
      order by priority desc, id limit w.most for no key update skip locked
    ) c
  ), moved as (
    update agent_message m set status = case when ${isWornOut} then 'dead' else 'delivered' end,
      deliveries = m.deliveries + case when ${isWornOut} then 0 else 1 end,
      lease_until = case when not ${isWornOut} then clock_timestamp()
        + ($3::jsonb -> m.to_agent_id::text ->> 'seconds')::float8 * interval '1 second' end,
      delivered_at = coalesce(m.delivered_at, clock_timestamp()),
      ended_at = case when ${isWornOut} then clock_timestamp() end,
      due_at = case when not ${isWornOut} then m.due_at end,
      dead_reason = case when ${isWornOut} then 'UNACKNOWLEDGED' end
    where m.organization_id = $1 and m.id = any(array(select id from chosen))
    returning m.*
  ), told as (
    insert into log.event (organization_id, type, subject, actor, data)
    select organization_id, 'message.dead_lettered', 'message/' || id,
      $3::jsonb -> to_agent_id::text -> 'actor', jsonb_build_object('messageId', id, 'kind', kind,
      'fromAgentId', from_agent_id, 'toAgentId', to_agent_id, 'reason', dead_reason)
    from moved where status = 'dead'
  )
  select ${messageColumns('m')}, m.status = 'dead' as "isDead" from moved m`

const LEASES = `
  select to_agent_id as "agentId", (extract(epoch from min(lease_until) - clock_timestamp()) * 1000)::float8 as ms
  from agent_message where organization_id = $1 and to_agent_id = any($2::uuid[]) and ended_at is null
    and lease_until is not null
  group by to_agent_id`
