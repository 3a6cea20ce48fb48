import { actorRecord, eventActor, type Database } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, EVENTS, fail } from '@tutti/schema'
import type pg from 'pg'
import { z } from 'zod'
import { agentMemoryOf, type Correspondent } from './agent-memory.ts'
import { MOST_BROADCAST_BYTES, MOST_WAITING, PRIORITY, type Sender } from './agent-message.ts'
import { senderOf } from './correspondents.ts'
import { bodyOf, digestOf, expiresInSeconds, idempotencyKey, priorityOr, word } from './message-input.ts'
import { policyMemoryOf } from './policy-memory.ts'

/** Rows a statement. */
const CHUNK = 500

const inputSchema = z.object({
  domain: word().nullish(),
  team: word().nullish(),
  capability: word().nullish(),
  body: bodyOf(MOST_BROADCAST_BYTES),
  priority: priorityOr(PRIORITY.normal),
  expiresInSeconds,
  idempotencyKey,
})

/** One agent's copy: the message's id, and whose it is. */
export interface BroadcastCopy {
  id: string
  agentId: string
}

/** What became of a broadcast. */
export interface Broadcast {
  id: string
  /** A message each, by agent. */
  messages: BroadcastCopy[]
  /** Agents left out: by a policy, and for their inboxes are full. */
  denied: number
  full: number
  /** False when it had been sent before, under the same key. */
  created: boolean
}

interface BroadcastRow {
  id: string
  denied: number
  full: number
  digest: string | null
}

/**
 * Sends one message to every active agent of a domain or team, or with a capability; to all where nothing is said; never to
 * the sender. Whom a policy denies it and whose inbox is full are left out and counted. The same key again answers as the
 * first did, whoever has come since. NOT_FOUND for a domain or team that is not there; IDEMPOTENCY_KEY_REUSED; BAD_INPUT
 * with every mistake.
 */
export async function broadcastMessage(
  { database }: { database: Database },
  actor: Actor,
  request: unknown,
): Promise<Broadcast> {
  const given = parseInput(inputSchema, request)
  const { sender, agent: from } = await senderOf(database, actor)
  const memory = agentMemoryOf(database)
  const unit = await findUnit(database, actor, given)
  const agents = await memory.active(actor, { ...unit, capability: given.capability ?? null })
  const judge = await policyMemoryOf(database).judgeOf(actor)
  const others = agents.filter(({ id }) => id !== sender.agentId)
  const denials = others.flatMap((agent) => {
    const { allowed, policy } = judge(from, agent)
    return allowed ? [] : [{ agent, policy }]
  })
  const denied = new Set(denials.map(({ agent }) => agent))
  const allowed = others.filter((agent) => !denied.has(agent))
  const reached = allowed.filter(({ waiting }) => waiting < MOST_WAITING)
  const full = allowed.length - reached.length
  const digest = given.idempotencyKey == null ? null : digestOf(given)

  const broadcast = await database.transact(actor, async (client): Promise<Broadcast> => {
    const counts = { sent: reached.length, denied: denials.length, full }
    const row = await insertBroadcast(client, sender, given.idempotencyKey ?? null, digest, counts)
    if (row === null) return findBroadcast(client, sender, given.idempotencyKey ?? '', digest)
    const messages = []
    for (let at = 0; at < reached.length; at += CHUNK) {
      const chunk = reached.slice(at, at + CHUNK)
      messages.push(...(await insertCopies(client, sender, row, chunk, given)))
    }
    const policies = [...new Set(denials.map(({ policy }) => policy?.name ?? ''))].slice(0, 100)
    await client.query(
      `insert into log.event (organization_id, type, subject, actor, data) values ($1, 'message.broadcast', $2, $3, $4)`,
      [
        actor.organizationId,
        `broadcast/${row}`,
        JSON.stringify(eventActor(actor)),
        JSON.stringify(
          EVENTS['message.broadcast'].parse({
            broadcastId: row,
            fromAgentId: sender.agentId,
            ...counts,
            policies,
          }),
        ),
      ],
    )
    return { id: row, messages, denied: denials.length, full, created: true }
  })
  if (broadcast.created) database.announce()
  return broadcast
}

/** The domain and the team that are said by name or id; a team's name may be several teams'. */
async function findUnit(
  database: Database,
  actor: Actor,
  { domain, team }: Pick<z.output<typeof inputSchema>, 'domain' | 'team'>,
): Promise<{ domainIds: string[] | null; teamIds: string[] | null }> {
  const find = async (table: 'domain' | 'team', reference: string | null | undefined) => {
    if (reference == null) return null
    const rows = await database.readTenant<{ id: string }>(
      actor,
      `select id from ${table} where organization_id = $1::uuid and (name = $2 or id = $3::uuid)`,
      [actor.organizationId, reference, isId(reference) ? reference : null],
    )
    return rows.length > 0 ? rows.map(({ id }) => id) : fail('NOT_FOUND', { path: `input.${table}` })
  }
  return { domainIds: await find('domain', domain), teamIds: await find('team', team) }
}

async function insertBroadcast(
  client: Pick<pg.ClientBase, 'query'>,
  { actor, key }: Sender,
  idempotencyKey: string | null,
  digest: string | null,
  { sent, denied, full }: { sent: number; denied: number; full: number },
): Promise<string | null> {
  const { rows } = await client.query<{ id: string }>(
    `insert into message_broadcast (organization_id, sender_id, idempotency_key, digest, sent, denied, inboxes_full)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (organization_id, sender_id, idempotency_key) do nothing returning id`,
    [actor.organizationId, key, idempotencyKey, digest, sent, denied, full],
  )
  return rows[0]?.id ?? null
}

/** The body goes over once a chunk, not once a row. */
async function insertCopies(
  client: Pick<pg.ClientBase, 'query'>,
  { actor, key, agentId }: Sender,
  broadcastId: string,
  agents: readonly Correspondent[],
  given: z.output<typeof inputSchema>,
): Promise<BroadcastCopy[]> {
  const { rows } = await client.query<BroadcastCopy>(
    `with made as (
       insert into agent_message (organization_id, kind, sender_id, sender, from_agent_id, to_agent_id, broadcast_id,
         priority, body, expires_at, due_at)
       select $1::uuid, 'broadcast', $2::text, $3::jsonb, $4::uuid, a, $5::uuid, $6::int, $7::jsonb, e, e
       from unnest($8::uuid[]) as a, (select clock_timestamp() + $9 * interval '1 second' as e) x
       returning id, to_agent_id, priority
     ), told as (
       insert into log.event (organization_id, type, subject, actor, data)
       select $1::uuid, 'message.sent', 'message/' || id, $10::jsonb, jsonb_build_object('messageId', id, 'kind', 'broadcast',
         'fromAgentId', $4::uuid, 'toAgentId', to_agent_id, 'requestId', null,
         'priority', (array['low', 'normal', 'high', 'urgent'])[priority + 1])
       from made order by id
     )
     select id, to_agent_id as "agentId" from made`,
    [
      actor.organizationId,
      key,
      JSON.stringify(actorRecord(actor)),
      agentId,
      broadcastId,
      given.priority,
      JSON.stringify(given.body ?? null),
      agents.map(({ id }) => id),
      given.expiresInSeconds,
      JSON.stringify(eventActor(actor)),
    ],
  )
  return rows
}

async function findBroadcast(
  client: Pick<pg.ClientBase, 'query'>,
  { actor, key }: Sender,
  idempotencyKey: string,
  digest: string | null,
): Promise<Broadcast> {
  const { rows } = await client.query<BroadcastRow>(
    `select id, denied, inboxes_full as "full", digest from message_broadcast
     where organization_id = $1 and sender_id = $2 and idempotency_key = $3`,
    [actor.organizationId, key, idempotencyKey],
  )
  const [row] = rows
  if (!row) fail('INTERNAL')
  if (row.digest !== digest) fail('IDEMPOTENCY_KEY_REUSED', { path: 'input.idempotencyKey' })
  const { rows: messages } = await client.query<BroadcastCopy>(
    `select id, to_agent_id as "agentId" from agent_message where organization_id = $1 and broadcast_id = $2 order by id`,
    [actor.organizationId, row.id],
  )
  return { id: row.id, messages, denied: row.denied, full: row.full, created: false }
}
