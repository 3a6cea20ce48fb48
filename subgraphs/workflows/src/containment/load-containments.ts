import type { Context } from '../context.ts'
import { CONTAINMENT_COLUMNS, type ContainmentRow } from './containment-row.ts'

/** Orders to stop, by id. */
export async function loadContainments({ database, actor }: Context, ids: readonly string[]) {
  const rows = await database.readTenant<ContainmentRow>(
    actor,
    `select ${CONTAINMENT_COLUMNS} from containment where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** Work that was under way when it was to be stopped. */
export interface StopRow {
  containmentId: string
  runId: string
  taskId: string | null
  agentId: string | null
  fencedAt: Date
  leaseEnd: Date
  acknowledgedAt: Date | null
  /** When it is proven to have stopped; null while it is not. */
  stoppedAt: Date | null
}

/** What each order found under way, in the order in which it was fenced off. */
export async function loadStops({ database, actor }: Context, containmentIds: readonly string[]) {
  const rows = await database.readTenant<StopRow>(
    actor,
    `select containment_id as "containmentId", run_id as "runId", task_id as "taskId", agent_id as "agentId",
       fenced_at as "fencedAt", lease_end as "leaseEnd", acknowledged_at as "acknowledgedAt",
       case when acknowledged_at is not null or lease_end <= clock_timestamp()
         then least(acknowledged_at, lease_end) end as "stoppedAt"
     from containment_stop where organization_id = $1 and containment_id = any($2::uuid[]) order by id`,
    [actor.organizationId, containmentIds],
  )
  return Map.groupBy(rows, (row) => row.containmentId)
}
