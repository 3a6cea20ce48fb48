import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type pg from 'pg'
import { findAgent } from '../board/find-peer.ts'

/** For whom somebody works outside. */
export interface WorkerRequest {
  /** By name or id. */
  agent?: string | null | undefined
  /** All agents that can do one of these. */
  capabilities?: readonly string[] | null | undefined
}

/** An agent whose tasks somebody may claim. */
export interface WorkerAgent {
  id: string
  name: string
}

/**
 * The agents whose tasks somebody may claim: an agent's key its own alone, and need not say it. Everybody else says the
 * agent, or what the agents can do, as a key may to ask for less. NOT_FOUND when there is none; BAD_INPUT when nothing
 * says whose tasks.
 */
export async function findWorkerAgents(
  client: Pick<pg.ClientBase, 'query'>,
  actor: Actor,
  { agent = null, capabilities = null }: WorkerRequest,
): Promise<WorkerAgent[]> {
  const path = 'input.agent'
  if (agent !== null || actor.kind === 'agent') {
    const id = agent === null ? null : await idOf(client, actor, agent, path)
    const found = await findAgent(client, actor, id, path)
    return capabilities === null || capabilities.some((each) => found.capabilities.includes(each))
      ? [found]
      : []
  }
  if (capabilities === null || capabilities.length === 0)
    fail('BAD_INPUT', { path, message: 'Say for which agent, or what the agents can do.' })
  const { rows } = await client.query<WorkerAgent>(
    'select id, name from agent where organization_id = $1 and capabilities && $2::text[]',
    [actor.organizationId, capabilities],
  )
  return rows.length > 0
    ? rows
    : fail('NOT_FOUND', { path: 'input.capabilities', message: 'No agent can do any of this.' })
}

async function idOf(
  client: Pick<pg.ClientBase, 'query'>,
  { organizationId }: Actor,
  agent: string,
  path: string,
): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    'select id from agent where organization_id = $1 and (name = $2 or id = $3)',
    [organizationId, agent, isId(agent) ? agent : null],
  )
  return rows[0]?.id ?? fail('NOT_FOUND', { path })
}
