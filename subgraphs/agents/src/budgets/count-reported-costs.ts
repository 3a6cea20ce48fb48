import type { Database } from '@tutti/prisma'
import { systemActor } from '@tutti/schema'

/** Costs at a time; more are counted in the next round. */
const MOST = 500

/**
 * Counts in budgets what agents of every tenant reported of their tasks after the fact, each cost once. What the platform
 * called models for is left out: those calls were counted one by one. Answers with how many costs were looked at.
 */
export async function countReportedCosts({ database }: { database: Database }): Promise<number> {
  const { rows } = await database
    .pool('worker')
    .query<{ organizationId: string; id: string }>(
      `select organization_id as "organizationId", id from task_cost where not counted order by organization_id, id limit ${MOST}`,
    )
  // Each by itself: the locks of one are taken in an order, those of several would not be.
  for (const { organizationId, id } of rows) {
    await database.transact(systemActor(organizationId, 'worker'), (client) =>
      client.query(COUNT, [organizationId, id]),
    )
  }
  return rows.length
}

const COUNT = `with cost as (
    update task_cost set counted = true where organization_id = $1 and id = $2 and not counted
    returning task_id, run_id, agent_id, cost_usd
  )
  select tutti_spend($1, c.agent_id, c.run_id, r.workflow_id, t.step_path, t.node_id, c.cost_usd)
  from cost c join task t on t.organization_id = $1 and t.id = c.task_id
  join run r on r.organization_id = $1 and r.id = c.run_id
  where not exists (select from model_call m where m.organization_id = $1 and m.task_id = c.task_id
    and m.agent_id is not distinct from c.agent_id)`
