import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import type { AgentRow } from '../agents/agent-row.ts'
import { lockAgent } from '../agents/lock-agent.ts'
import { policyInput, requireOrder, withInput } from './policy-input.ts'
import { policyOf, resourceManagementOf, storedPolicy } from './scaling-policy.ts'

const input = z.object({ agentId: z.string(), policy: policyInput })

/** What is said of an agent's scaling. */
export type SetScalingPolicyRequest = z.input<typeof input>

/**
 * Says when an agent gets more or fewer instances, where it is not as the organization's settings say. BAD_INPUT with
 * every mistake, NOT_FOUND. Event: agent.scaling_changed.
 */
export async function setScalingPolicy(
  { database }: { database: Database },
  actor: Actor,
  request: SetScalingPolicyRequest,
): Promise<AgentRow> {
  const { agentId, policy } = parseInput(input, request)
  return database.inTenant(actor, async (tx) => {
    const agent = await lockAgent(tx, agentId)
    const { organizationId } = actor
    const [row] = await tx.sql<{ settings: unknown; policy: unknown }>(
      `select ${resourceManagementOf('a')} as settings, (select s.policy from agent_scaling s
         where s.organization_id = a.organization_id and s.id = a.id) as policy
       from agent a where a.organization_id = $1::uuid and a.id = $2::uuid`,
      organizationId,
      agent.id,
    )
    const stored = withInput(storedPolicy.parse(row?.policy ?? {}), policy)
    requireOrder(policyOf(row?.settings, stored))
    await tx.sql(
      `insert into agent_scaling (organization_id, id, policy) values ($1::uuid, $2::uuid, $3::jsonb)
       on conflict (organization_id, id) do update set policy = excluded.policy returning id`,
      organizationId,
      agent.id,
      JSON.stringify(stored),
    )
    const data = { agentId: agent.id, name: agent.name }
    await tx.appendEvent({ type: 'agent.scaling_changed', subject: `agent/${agent.id}`, data })
    return agent
  })
}
