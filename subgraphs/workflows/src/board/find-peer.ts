import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type pg from 'pg'

/** For whom items are claimed, and which capabilities they may have. */
export interface Peer {
  /** Null: a person or an integration for itself. */
  agentId: string | null
  capabilities: readonly string[]
}

interface AgentRow {
  id: string
  name: string
  capabilities: string[]
}

/**
 * An agent's key works for that agent and no other (the one it belongs to, else the one of its name); everybody else for
 * the agent given, or for themselves. `capabilities` narrows what an agent can do. NOT_FOUND for an agent that is not
 * there, or not the key's; BAD_INPUT for what the agent cannot do, or when nothing says what is wanted.
 */
export async function findPeer(
  client: Pick<pg.ClientBase, 'query'>,
  actor: Actor,
  agentId: string | null,
  wanted: readonly string[] | null,
): Promise<Peer> {
  if (agentId === null && actor.kind !== 'agent') {
    if (!wanted || wanted.length === 0)
      fail('BAD_INPUT', {
        path: 'input.capabilities',
        message: 'Say which capabilities, or for which agent.',
      })
    return { agentId: null, capabilities: wanted ?? [] }
  }
  const agent = await findAgent(client, actor, agentId)
  const unable = (wanted ?? []).flatMap((name, index) =>
    agent.capabilities.includes(name)
      ? []
      : [
          {
            code: 'UNKNOWN_CAPABILITY',
            path: `input.capabilities[${index}]`,
            message: `${agent.name} has no such capability.`,
          },
        ],
  )
  if (unable.length > 0) fail('BAD_INPUT', { path: 'input.capabilities', problems: unable })
  return { agentId: agent.id, capabilities: wanted ?? agent.capabilities }
}

/** The agent that somebody may claim for. An agent's key is of its own alone, whatever `agentId`. NOT_FOUND with the path `at`. */
export async function findAgent(
  client: Pick<pg.ClientBase, 'query'>,
  { organizationId, kind, agentId: own, name }: Actor,
  agentId: string | null,
  at = 'input.agentId',
): Promise<AgentRow> {
  const byName = kind === 'agent' && own === undefined
  const id = kind === 'agent' ? (own ?? null) : agentId
  const { rows } = await client.query<AgentRow>(
    `select id, name, capabilities from agent
     where organization_id = $1 and retired_at is null and ($2::uuid is not null and id = $2 or $3::text = name)`,
    [organizationId, id !== null && isId(id) ? id : null, byName ? name : null],
  )
  const [agent] = rows
  if (kind === 'agent' && (!agent || (agentId !== null && agentId !== agent.id)))
    fail('NOT_FOUND', {
      path: at,
      message: "An agent's key claims for that agent alone.",
      hint: 'The key must belong to a registered agent, or bear its name.',
    })
  return agent ?? fail('NOT_FOUND', { path: at })
}
