import { setTimeout as pause } from 'node:timers/promises'

import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'

/** The agent that all documents of this example are of. */
export const AGENT = 'message_triage'

const REGISTER = `mutation RegisterAgent($input: RegisterAgentInput!) {
  registerAgent(input: $input) { agent { id } }
}`
const UPDATE = `mutation UpdateAgent($input: UpdateAgentInput!) {
  updateAgent(input: $input) { version { number } }
}`

// Workers may go by the version before for a second.
const FELT_AFTER_MS = 1_200

/** Makes the agent, or brings it back; answers with its id. */
export async function registerAgent(door: Door, document: string): Promise<string> {
  const { registerAgent: made } = await ask<{ registerAgent: { agent: { id: string } } }>(door, REGISTER, {
    input: { document },
  })
  return made.agent.id
}

/** Gives the agent this document; answers with its version's number when all workers go by it. */
export async function switchAgent(door: Door, agentId: string, document: string): Promise<number> {
  const { updateAgent } = await ask<{ updateAgent: { version: { number: number } } }>(door, UPDATE, {
    input: { agentId, document },
  })
  await pause(FELT_AFTER_MS)
  return updateAgent.version.number
}
