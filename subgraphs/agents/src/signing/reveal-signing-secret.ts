import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type { Services } from '../context.ts'
import { agentSigningSecret } from './agent-signing-secret.ts'

/**
 * The secret that an HTTP agent checks its calls with, as Standard Webhooks write it: `whsec_` and base64. That it was asked
 * for is an event. NOT_FOUND when there is no such agent.
 */
export async function revealSigningSecret(
  { database, secret }: Pick<Services, 'database' | 'secret'>,
  actor: Actor,
  { agentId }: { agentId: string },
): Promise<string> {
  if (!isId(agentId)) return fail('NOT_FOUND', { path: 'input.agentId' })
  return database.inTenant(actor, async (tx) => {
    const [agent] = await tx.sql<{ name: string }>(
      'select name from agent where organization_id = $1::uuid and id = $2::uuid',
      actor.organizationId,
      agentId,
    )
    if (!agent) return fail('NOT_FOUND', { path: 'input.agentId' })
    await tx.appendEvent({
      type: 'agent.signing_secret_revealed',
      subject: `agent/${agentId}`,
      data: { agentId, name: agent.name },
    })
    return `whsec_${agentSigningSecret(secret, agentId).toString('base64')}`
  })
}
