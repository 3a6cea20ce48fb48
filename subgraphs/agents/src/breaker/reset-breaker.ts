import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type { BreakerRow } from './breaker-row.ts'
import { CLOSED } from './breaker-state.ts'
import { changeBreaker } from './change-breaker.ts'
import { providerName } from './provider-breakers.ts'

/**
 * Closes the breaker of an agent or of a provider of models: it is called again at once, and what failed before is
 * forgotten. BAD_INPUT unless exactly one of the two is named; NOT_FOUND when there is no such agent. Events:
 * breaker.closed, if it was not.
 */
export async function resetBreaker(
  services: { database: Database },
  actor: Actor,
  { agentId = null, provider = null }: { agentId?: string | null; provider?: string | null },
): Promise<BreakerRow> {
  if ((agentId === null) === (provider === null))
    fail('BAD_INPUT', { path: 'input', message: 'Name the agent or the provider, and one of them.' })
  if (provider !== null && !providerName.test(provider)) fail('NOT_FOUND', { path: 'input.provider' })
  const target =
    provider === null
      ? await agentTarget(services, actor, agentId ?? '')
      : { scope: 'provider' as const, subject: provider, name: provider }
  const { row } = await changeBreaker(
    services,
    actor,
    target,
    (before) => (before.state === 'closed' && before.failures.length === 0 ? before : CLOSED),
    { cause: 'reset' },
  )
  return row
}

async function agentTarget({ database }: { database: Database }, actor: Actor, id: string) {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.agentId' })
  const [agent] = await database.readTenant<{ name: string }>(
    actor,
    'select name from agent where organization_id = $1 and id = $2::uuid',
    [actor.organizationId, id],
  )
  if (!agent) fail('NOT_FOUND', { path: 'input.agentId' })
  return { scope: 'agent' as const, subject: id, name: agent.name }
}
