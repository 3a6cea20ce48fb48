import { actorRecord } from '@tutti/prisma'
import type pg from 'pg'
import { type AgentMessageRow, type MessageKind, messageColumns, type Sender } from './agent-message.ts'

/** A message as it is handed to an inbox. */
export interface NewMessage {
  kind: MessageKind
  sender: Sender
  /** Null: the answer to somebody who is no agent; it is in no inbox. */
  toAgentId: string | null
  requestId?: string | undefined
  runId?: string | undefined
  taskId?: string | undefined
  priority: number
  body: unknown
  /** Seconds for which it waits. */
  seconds: number
  idempotencyKey?: string | null | undefined
  /** Of what is sent; looked at with a key only. */
  digest?: string | undefined
}

/** A message that is in its inbox; not `created`: it had been there before, sent under the same key. */
export interface PostedMessage {
  message: AgentMessageRow
  created: boolean
}

interface Inserted {
  n: number
  id: string
  createdAt: Date
  endedAt: Date | null
  expiresAt: Date
}

interface Earlier extends AgentMessageRow {
  senderId: string
  idempotencyKey: string
  digest: string | null
}

/**
 * Input: messages of one organization. Output: each as stored, in the same order, null where its key was used for another.
 * Events: `message.sent` for each new one, by its own sender. One statement, and a second where keys were known.
 */
export async function insertMessages(
  client: Pick<pg.ClientBase, 'query'>,
  organizationId: string,
  messages: readonly NewMessage[],
): Promise<(PostedMessage | null)[]> {
  const rows = messages.map((message, n) => ({
    n,
    kind: message.kind,
    sender_id: message.sender.key,
    sender: actorRecord(message.sender.actor),
    from_agent_id: message.sender.agentId,
    to_agent_id: message.toAgentId,
    request_id: message.requestId ?? null,
    run_id: message.runId ?? null,
    task_id: message.taskId ?? null,
    priority: message.priority,
    body: message.body ?? null,
    idempotency_key: message.idempotencyKey ?? null,
    digest: message.digest ?? null,
    seconds: message.seconds,
  }))
  const { rows: inserted } = await client.query<Inserted>({
    name: 'agent-messages-insert',
    text: INSERT,
    values: [organizationId, JSON.stringify(rows)],
  })
  const answers: (PostedMessage | null)[] = messages.map(() => null)
  for (const { n, ...made } of inserted) {
    const message = messages[n]
    if (message) answers[n] = { message: rowOf(message, made), created: true }
  }
  if (inserted.length < messages.length) {
    const earlier = await findEarlier(
      client,
      organizationId,
      messages.filter((_, n) => answers[n] === null),
    )
    messages.forEach((message, n) => {
      const known = earlier.get(`${message.sender.key}\n${message.idempotencyKey}`)
      if (!answers[n] && known && known.digest === (message.digest ?? null))
        answers[n] = { message: known, created: false }
    })
  }
  return answers
}

// A body that is JSON's null is not SQL's, hence `->` and not a column of the record.
const INSERT = `
  with input as materialized (
    select uuidv7() as id, clock_timestamp() as now, x.*, e->'body' as body
    from jsonb_array_elements($2::jsonb) e, jsonb_to_record(e) as x(n int, kind text, sender_id text, sender jsonb,
      from_agent_id uuid, to_agent_id uuid, request_id uuid, run_id uuid, task_id uuid, priority int,
      idempotency_key text, digest text, seconds float8)
  ), made as (
    insert into agent_message (organization_id, id, kind, sender_id, sender, from_agent_id, to_agent_id, request_id, run_id,
      task_id, priority, body, idempotency_key, digest, created_at, expires_at, due_at, ended_at)
    select $1::uuid, id, kind, sender_id, sender, from_agent_id, to_agent_id, request_id, run_id, task_id, priority, body,
      idempotency_key, digest, now, now + seconds * interval '1 second',
      case when to_agent_id is not null then now + seconds * interval '1 second' end,
      case when to_agent_id is null then now end
    from input order by n
    on conflict (organization_id, sender_id, idempotency_key) where idempotency_key is not null do nothing
    returning id, kind, sender, from_agent_id, to_agent_id, request_id, priority, created_at, ended_at, expires_at
  ), told as (
    insert into log.event (organization_id, type, subject, actor, data)
    select $1::uuid, 'message.sent', 'message/' || id, log.event_actor(sender), jsonb_build_object('messageId', id, 'kind', kind,
      'fromAgentId', from_agent_id, 'toAgentId', to_agent_id, 'requestId', request_id,
      'priority', (array['low', 'normal', 'high', 'urgent'])[priority + 1])
    from made order by id
  )
  select i.n, m.id, m.created_at as "createdAt", m.ended_at as "endedAt", m.expires_at as "expiresAt"
  from made m join input i on i.id = m.id`

function rowOf(message: NewMessage, made: Omit<Inserted, 'n'>): AgentMessageRow {
  const { kind, sender, toAgentId, requestId, runId, priority, body } = message
  return {
    kind,
    sender: actorRecord(sender.actor),
    fromAgentId: sender.agentId,
    toAgentId,
    requestId: requestId ?? null,
    responseId: null,
    broadcastId: null,
    runId: runId ?? null,
    priority,
    body,
    status: 'sent',
    deliveries: 0,
    leaseUntil: null,
    deliveredAt: null,
    acknowledgedAt: null,
    deadReason: null,
    ...made,
  }
}

async function findEarlier(
  client: Pick<pg.ClientBase, 'query'>,
  organizationId: string,
  messages: readonly NewMessage[],
): Promise<Map<string, Earlier>> {
  const { rows } = await client.query<Earlier>(
    `select ${messageColumns('m')}, m.sender_id as "senderId", m.idempotency_key as "idempotencyKey", m.digest
     from unnest($2::text[], $3::text[]) as k(sender_id, idempotency_key)
     join agent_message m on m.organization_id = $1::uuid and m.sender_id = k.sender_id
       and m.idempotency_key = k.idempotency_key`,
    [
      organizationId,
      messages.map(({ sender }) => sender.key),
      messages.map(({ idempotencyKey }) => idempotencyKey ?? null),
    ],
  )
  return new Map(rows.map((row) => [`${row.senderId}\n${row.idempotencyKey}`, row]))
}
