import { eventActor, type Database } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { inboxOf } from './correspondents.ts'
import { shareTransaction } from './share-transaction.ts'

const MOST = 500

const inputSchema = z.object({
  agent: z.string().nullish(),
  ids: z.array(z.string()).min(1, 'At least one.').max(MOST, `At most ${MOST}.`),
})

/** What {@link acknowledgeMessages} takes. */
export type AcknowledgeRequest = z.input<typeof inputSchema>

/** What became of it. */
export interface Acknowledgement {
  /** Done with, now or before. */
  acknowledged: string[]
  /** Not in this inbox, expired, or dead. */
  refused: string[]
}

/**
 * An agent is done with messages: they never come again, also when their lease is over. Those that were acknowledged before
 * stay so; a request's answer may still come. BAD_INPUT with every mistake, and as `inboxOf`.
 */
export async function acknowledgeMessages(
  { database }: { database: Database },
  actor: Actor,
  request: AcknowledgeRequest,
): Promise<Acknowledgement> {
  const { agent: reference, ids } = parseInput(inputSchema, request)
  const agent = await inboxOf(database, actor, reference)
  const wanted = [...new Set(ids)]
  const done = await settle(database, actor.organizationId, {
    actor,
    agentId: agent.id,
    ids: wanted.filter(isId),
  })
  return {
    acknowledged: wanted.filter((id) => done.has(id)),
    refused: wanted.filter((id) => !done.has(id)),
  }
}

interface Settling {
  actor: Actor
  agentId: string
  ids: string[]
}

/** With all acknowledgements of the organization that come to this process at this moment. Output: ids that are done with. */
const settle = shareTransaction<Settling, ReadonlySet<string>>({
  most: 50,
  // Of one inbox one after another: each says which of its messages it was that was settled now.
  keyOf: ({ agentId }) => agentId,
  perform: async (database, acts) => {
    const [first] = acts
    if (!first) return []
    const { organizationId } = first.actor
    const ids = acts.flatMap((act) => act.ids)
    const owned = acts.flatMap((act) => act.ids.map((id) => act.agentId + id))
    const actors = Object.fromEntries(acts.map(({ actor, agentId }) => [agentId, eventActor(actor)]))
    const rows = await database.transact(first.actor, async (client) => {
      const held = await client.query<{ id: string }>(HOLD, [organizationId, ids, owned])
      const mine = held.rows.map(({ id }) => id)
      const settled = await client.query<{ id: string; agentId: string }>(SETTLE, [
        organizationId,
        ids,
        owned,
        JSON.stringify(actors),
        mine,
      ])
      return settled.rows
    })
    if (rows.length > 0) database.announce()
    const settled = Map.groupBy(rows, ({ agentId }) => agentId)
    return acts.map(({ agentId }) => new Set(settled.get(agentId)?.map(({ id }) => id)))
  },
})

// In one order for all, so that two who acknowledge the same wait for each other and no longer; by a statement of its own,
// for one that locks a row and writes it as well waits, for its older version, in another's line.
const HOLD = `
  select id from agent_message where organization_id = $1 and id = any($2::uuid[])
    and to_agent_id::text || id = any($3::text[]) and ended_at is null
  order by id for no key update`

// Rows are looked up by key and nothing is joined: a planner that takes the table for small would compare each with each.
const SETTLE = `
  with done as (
    update agent_message m set status = 'acknowledged', acknowledged_at = clock_timestamp(), ended_at = clock_timestamp(),
      lease_until = null, due_at = case when kind = 'request' then due_at end
    where m.organization_id = $1 and m.id = any($5::uuid[])
    returning m.id, m.to_agent_id as agent_id
  ), told as (
    insert into log.event (organization_id, type, subject, actor, data)
    select $1::uuid, 'message.acknowledged', 'agent/' || agent_id, $4::jsonb -> agent_id::text,
      jsonb_build_object('agentId', agent_id, 'messageIds', jsonb_agg(id order by id))
    from done group by agent_id order by agent_id
  )
  select id, agent_id as "agentId" from done
  union all
  select id, to_agent_id from agent_message where organization_id = $1 and id = any($2::uuid[])
    and to_agent_id::text || id = any($3::text[]) and status = 'acknowledged' and id <> all($5::uuid[])`
