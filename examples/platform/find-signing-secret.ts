import { ask } from './ask.ts'
import type { Door } from './find-door.ts'

const REVEAL = `mutation Reveal($agentId: ID!) {
  revealSigningSecret(input: { agentId: $agentId }) { secret }
}`

/** The secret with which the platform signs its calls of one HTTP agent, as Standard Webhooks write it. */
export async function findSigningSecret(door: Door, agentId: string): Promise<string> {
  const { revealSigningSecret } = await ask<{ revealSigningSecret: { secret: string } }>(door, REVEAL, {
    agentId,
  })
  return revealSigningSecret.secret
}
