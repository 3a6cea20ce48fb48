import type { TenantTransaction } from '@tutti/prisma'
import { TuttiError } from '@tutti/schema'
import { scaleWithin } from '../../lifecycle/scale-agent.ts'
import type { RecordedAction } from './rebalance-row.ts'
import type { RebalanceAction } from './situation.ts'

/**
 * Does what was planned, in the caller's transaction; each action says why it could not be done. What was changed since the
 * plan was made stays as it is. Events: agent.scaled.
 */
export async function applyPlan(
  tx: TenantTransaction,
  actions: readonly RebalanceAction[],
): Promise<RecordedAction[]> {
  if (actions.length === 0) return []
  // In one order, as everybody who locks several; and before a quota is.
  const active = await tx.sql<{ id: string }>(
    `select id from agent where organization_id = $1::uuid and id = any($2::uuid[]) and status = 'active' order by id for update`,
    tx.actor.organizationId,
    [
      ...new Set(
        actions.flatMap((each) => ('toAgentId' in each ? [each.agentId, each.toAgentId] : each.agentId)),
      ),
    ],
  )
  const isActive = (id: string): boolean => active.some((each) => each.id === id)
  const done: RecordedAction[] = []
  for (const action of actions) {
    const refused = (id: string): boolean => done.some((each) => each.agentId === id && each.refusal !== null)
    const refusal =
      action.action !== 'migrate'
        ? await scale(tx, action)
        : action.to > action.from && (!isActive(action.toAgentId) || refused(action.toAgentId))
          ? 'The other agent was not ready for it.'
          : await share(tx, action)
    done.push({ ...action, refusal })
  }
  return done
}

/** Gives an agent its instances; answers with why not. */
async function scale(
  tx: TenantTransaction,
  { agentId, from, to, reason, figures }: RebalanceAction,
): Promise<string | null> {
  const { tasksNow, slots, utilisation, responseP95Ms } = figures
  const load = { running: Math.round(tasksNow), queued: 0, responseP95Ms, slots, utilisation }
  try {
    const request = { agentId, instances: to, reason }
    const { from: was } = await scaleWithin(tx, request, { from, load })
    return was === from ? null : 'It was scaled meanwhile.'
  } catch (error) {
    if (error instanceof TuttiError && ['INVALID_STATE', 'QUOTA_EXCEEDED', 'NOT_FOUND'].includes(error.code))
      return error.message
    throw error
  }
}

/** Gives another agent its share, instead of the one it had; answers with why not. */
async function share(
  tx: TenantTransaction,
  { agentId, toAgentId, from, to }: RebalanceAction & { action: 'migrate' },
): Promise<string | null> {
  const { organizationId } = tx.actor
  const [was] = await tx.sql<{ percent: number }>(
    `update agent_share set until = clock_timestamp() where organization_id = $1::uuid and agent_id = $2::uuid
       and to_agent_id = $3::uuid and until is null returning percent`,
    organizationId,
    agentId,
    toAgentId,
  )
  if ((was?.percent ?? 0) !== from) throw new Error('Shares are changed by one rebalancing at a time.')
  if (to > 0)
    await tx.sql(
      `insert into agent_share (organization_id, agent_id, to_agent_id, percent)
       values ($1::uuid, $2::uuid, $3::uuid, $4::int) returning id`,
      organizationId,
      agentId,
      toAgentId,
      to,
    )
  return null
}
