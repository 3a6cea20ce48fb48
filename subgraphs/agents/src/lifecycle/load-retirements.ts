import type { Context } from '../context.ts'

/** An agent's way out of service. */
export interface RetirementRow {
  id: string
  agentId: string
  status: 'draining' | 'retired' | 'cancelled'
  reason: string | null
  deadline: Date
  handedOver: number
  finalState: unknown
  createdAt: Date
  endedAt: Date | null
}

/** The newest retirement of each agent, in one read. */
export async function loadRetirements(
  { database, actor }: Context,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, RetirementRow>> {
  const rows = await database.readTenant<RetirementRow>(
    actor,
    `select distinct on (agent_id) id, agent_id as "agentId", status, reason, deadline, handed_over as "handedOver",
       final_state as "finalState", created_at as "createdAt", ended_at as "endedAt"
     from agent_retirement where organization_id = $1::uuid and agent_id = any($2::uuid[]) order by agent_id, id desc`,
    [actor.organizationId, agentIds],
  )
  return new Map(rows.map((row) => [row.agentId, row]))
}
