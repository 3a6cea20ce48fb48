import type { Database } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type pg from 'pg'
import { z } from 'zod'
import { type AgentMessageRow, messageColumns, type Sender } from './agent-message.ts'
import { inboxOf } from './correspondents.ts'
import { insertMessages } from './insert-messages.ts'
import { bodyOf, digestOf } from './message-input.ts'

const A_WEEK = 7 * 24 * 60 * 60

const inputSchema = z.object({ requestId: z.string(), agent: z.string().nullish(), body: bodyOf() })

/** What {@link respondToRequest} takes. */
export type ResponseInput = z.input<typeof inputSchema>

/** The answer that is stored; not `created`: the very same had been given before. */
export interface GivenResponse {
  message: AgentMessageRow
  created: boolean
}

/**
 * Answers a request, once: whoever asked finds the answer in its inbox, and under the request. It acknowledges the request.
 * The same answer again changes nothing. NOT_FOUND when there is no such request to this agent; INVALID_STATE when its time
 * is over or it was answered otherwise; BAD_INPUT with every mistake.
 */
export async function respondToRequest(
  { database }: { database: Database },
  actor: Actor,
  input: ResponseInput,
): Promise<GivenResponse> {
  const { requestId, agent: reference, body } = parseInput(inputSchema, input)
  const agent = await inboxOf(database, actor, reference)
  if (!isId(requestId)) fail('NOT_FOUND', { path: 'input.requestId' })
  const sender: Sender = { agentId: agent.id, key: `agent/${agent.id}`, actor }
  const digest = digestOf({ requestId, body: body ?? null })
  const given = await database.transact(actor, async (client) => {
    const request = await lockRequest(client, actor, requestId, agent.id)
    if (request.responseId !== null) return answeredBefore(client, actor, request.responseId, digest)
    if (request.isOver)
      fail('INVALID_STATE', { path: 'input.requestId', message: 'The time to answer this request is over.' })
    const [posted] = await insertMessages(client, actor.organizationId, [
      {
        kind: 'response',
        sender,
        toAgentId: request.fromAgentId,
        requestId,
        priority: request.priority,
        body,
        seconds: A_WEEK,
        digest,
      },
    ])
    if (!posted) fail('INTERNAL')
    await client.query(
      `update agent_message set response_id = $3, due_at = null, status = 'acknowledged', lease_until = null,
         acknowledged_at = coalesce(acknowledged_at, clock_timestamp()), ended_at = coalesce(ended_at, clock_timestamp())
       where organization_id = $1 and id = $2`,
      [actor.organizationId, requestId, posted.message.id],
    )
    return posted
  })
  if (given.created) database.announce()
  return given
}

interface LockedRequest {
  responseId: string | null
  fromAgentId: string | null
  priority: number
  isOver: boolean
}

async function lockRequest(
  client: Pick<pg.ClientBase, 'query'>,
  { organizationId }: Actor,
  id: string,
  agentId: string,
): Promise<LockedRequest> {
  const { rows } = await client.query<LockedRequest>(
    `select response_id as "responseId", from_agent_id as "fromAgentId", priority,
       status in ('expired', 'dead') or expires_at <= clock_timestamp() as "isOver"
     from agent_message where organization_id = $1 and id = $2 and to_agent_id = $3 and kind = 'request' for no key update`,
    [organizationId, id, agentId],
  )
  return rows[0] ?? fail('NOT_FOUND', { path: 'input.requestId' })
}

async function answeredBefore(
  client: Pick<pg.ClientBase, 'query'>,
  { organizationId }: Actor,
  id: string,
  digest: string,
): Promise<GivenResponse> {
  const { rows } = await client.query<AgentMessageRow & { digest: string | null }>(
    `select ${messageColumns('m')}, m.digest from agent_message m where m.organization_id = $1 and m.id = $2`,
    [organizationId, id],
  )
  const [message] = rows
  return message?.digest === digest
    ? { message, created: false }
    : fail('INVALID_STATE', { path: 'input.requestId', message: 'This request has been answered.' })
}
