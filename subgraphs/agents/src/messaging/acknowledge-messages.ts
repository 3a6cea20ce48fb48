import { actorRecord, type Database } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, EVENTS } from '@tutti/schema'
import { z } from 'zod'
import { inboxOf } from './correspondents.ts'

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
  const known = wanted.filter(isId)
  const acknowledged = await database.transact(actor, async (client) => {
    // In one order for all, so that two who acknowledge the same wait for each other and no longer.
    const { rows } = await client.query<{ id: string; status: string }>(
      `with held as materialized (
         select id from agent_message where organization_id = $1 and to_agent_id = $2 and id = any($3::uuid[])
           and ended_at is null order by id for no key update
       ), done as (
         update agent_message m set status = 'acknowledged', acknowledged_at = clock_timestamp(), ended_at = clock_timestamp(),
           lease_until = null, due_at = case when kind = 'request' then due_at end
         from held h where m.organization_id = $1 and m.id = h.id returning m.id
       )
       select id, 'now' as status from done
       union all
       select id, status from agent_message where organization_id = $1 and to_agent_id = $2 and id = any($3::uuid[])
         and status = 'acknowledged' and id not in (select id from done)`,
      [actor.organizationId, agent.id, known],
    )
    const now = rows.filter(({ status }) => status === 'now').map(({ id }) => id)
    if (now.length > 0) {
      const data = EVENTS['message.acknowledged'].parse({ agentId: agent.id, messageIds: now })
      await client.query(
        `insert into log.event (organization_id, type, subject, actor, data) values ($1, 'message.acknowledged', $2, $3, $4)`,
        [actor.organizationId, `agent/${agent.id}`, JSON.stringify(actorRecord(actor)), JSON.stringify(data)],
      )
    }
    return new Set(rows.map(({ id }) => id))
  })
  if (acknowledged.size > 0) database.announce()
  return {
    acknowledged: wanted.filter((id) => acknowledged.has(id)),
    refused: wanted.filter((id) => !acknowledged.has(id)),
  }
}
