import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'

/** How runs of one workflow ended. */
export interface Outcomes {
  completed: number
  failed: number
  cancelled: number
  /** Failed over all that ended, 0 to 1. */
  failureRate: number
}

/** What a workflow without ended runs has. */
export const NO_OUTCOMES: Outcomes = { completed: 0, failed: 0, cancelled: 0, failureRate: 0 }

/** Outcomes of the last hour by workflow, in one read. */
export async function loadOutcomes(
  { database, actor }: Context,
  workflowIds: readonly string[],
): Promise<ReadonlyMap<string, Outcomes>> {
  const rows = await database.readTenant<Outcomes & { workflowId: string }>(
    actor,
    `select workflow_id as "workflowId", count(*) filter (where outcome = 'completed')::int as completed,
       count(*) filter (where outcome = 'failed')::int as failed, count(*) filter (where outcome = 'cancelled')::int as cancelled,
       count(*) filter (where outcome = 'failed')::float8 / count(*) as "failureRate"
     from run_outcome where organization_id = $1::uuid and workflow_id = any($2::uuid[]) and ended_at > now() - interval '1 hour'
     group by workflow_id`,
    [actor.organizationId, workflowIds.filter(isId)],
  )
  return new Map(rows.map(({ workflowId, ...outcomes }) => [workflowId, outcomes]))
}
