import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { lockAgent } from '../agents/lock-agent.ts'
import { configurationInput, readRegistration } from '../agents/read-registration.ts'
import { requirePlace } from '../agents/require-place.ts'
import { makeVersion } from './agent-version.ts'
import { requireActive } from './require-active.ts'
import { serve } from './serve-agent-version.ts'

const input = z.object({ agentId: z.string(), ...configurationInput, serve: z.boolean().nullish() })

/** A new configuration of an agent; `serve: false` keeps it for later. */
export type UpdateAgentRequest = z.input<typeof input>

/**
 * Makes a version of an agent that is there, and lets it serve unless told not to. A configuration that the agent has
 * had is the version it was. Answers with the version's number, and whether it is new. NOT_FOUND; INVALID_STATE unless
 * the agent is active; INVALID_DOCUMENT with every mistake, also when the document is of another name.
 */
export async function updateAgent(
  { database }: { database: Database },
  actor: Actor,
  request: UpdateAgentRequest,
): Promise<{ number: number; created: boolean }> {
  const { agentId, serve: serves, ...described } = parseInput(input, request)
  const registration = readRegistration(described)
  const { given } = registration
  return database.inTenant(actor, async (tx) => {
    const agent = await lockAgent(tx, agentId)
    await requirePlace(tx, agent.teamId, 'input.agentId')
    requireActive(agent, 'input.agentId')
    const { name } = registration.configuration.metadata
    if (name !== agent.name) {
      const message = `The configuration is of "${name}", the agent is "${agent.name}".`
      fail('INVALID_DOCUMENT', {
        path: given.argument,
        message,
        problems: [{ code: 'other_name', path: given.pathOf(['metadata', 'name']), message }],
      })
    }
    const version = await makeVersion(tx, agent.id, registration)
    const about = { agentId: agent.id, name, number: version.number }
    if (version.created)
      await tx.appendEvent({ type: 'agent.version_created', subject: `agent/${agent.id}`, data: about })
    if (serves ?? true) await serve(tx, agent, version.number)
    return version
  })
}
