import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { ownAgent } from '../../messaging/correspondents.ts'
import type { HolderKind } from './resource-booking.ts'

/** Whose a booking is to be, and within which its idempotency key counts. */
export interface Holder {
  kind: HolderKind
  id: string
  requesterId: string
}

/** For whom somebody asks; nobody named: for themselves. */
export interface HolderRequest {
  runId?: string | null | undefined
  taskId?: string | null | undefined
  agentId?: string | null | undefined
}

/** By whom somebody is known to have asked: an agent's key by its agent. NOT_FOUND for the key of no agent. */
export async function requesterOf(database: Database, actor: Actor): Promise<string> {
  return actor.kind === 'agent' ? `agent/${(await ownAgent(database, actor)).id}` : actor.id
}

/**
 * Whose a booking is to be: the run, task or agent that is named, else whoever asks. An agent's key asks for its own agent
 * alone. NOT_FOUND.
 */
export async function holderOf(
  database: Database,
  actor: Actor,
  { runId, taskId, agentId }: HolderRequest,
): Promise<Holder> {
  const requesterId = await requesterOf(database, actor)
  const own = actor.kind === 'agent' ? requesterId.slice('agent/'.length) : null
  const named = [
    { kind: 'run', id: runId, path: 'input.runId' },
    { kind: 'task', id: taskId, path: 'input.taskId' },
    { kind: 'agent', id: agentId, path: 'input.agentId' },
  ] as const
  for (const { kind, id, path } of named) {
    if (id == null) continue
    const [found] = isId(id)
      ? await database.readTenant(
          actor,
          `select id from ${kind} where organization_id = $1::uuid and id = $2::uuid`,
          [actor.organizationId, id],
        )
      : []
    if (!found || (kind === 'agent' && own !== null && id !== own))
      fail('NOT_FOUND', { path, message: `There is no such ${kind}, or it is not yours.` })
    return { kind, id, requesterId }
  }
  return own === null ? { kind: 'actor', id: actor.id, requesterId } : { kind: 'agent', id: own, requesterId }
}
