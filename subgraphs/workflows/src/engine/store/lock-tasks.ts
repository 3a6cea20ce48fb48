import type pg from 'pg'
import type { RunStatus, TaskStatus } from '../core/index.ts'

/** A task with its run, both locked, as the core's view needs them. */
export interface LockedTask {
  organization_id: string
  id: string
  run_id: string
  step_path: string
  node_id: string
  kind: 'agent' | 'review'
  agent_id: string | null
  status: TaskStatus
  attempt: number
  fence: bigint
  approval_id: string | null
  run_status: RunStatus
  run_created_at: Date
  run_input: Record<string, unknown>
  run_state: Record<string, unknown>
  workflow_id: string
  workflow_name: string
  version_id: string
}

const COLUMNS = `t.organization_id, t.id, t.run_id, t.step_path, t.node_id, t.kind, t.agent_id, t.status, t.attempt,
  t.fence, t.approval_id, r.status as run_status, r.created_at as run_created_at, r.input as run_input, r.state as run_state, r.workflow_id,
  w.name as workflow_name, r.version_id`

/** Locks runs and tasks, always in the order of their ids (else deadlocks), and reads them as they are now. */
export async function lockTasks(
  client: pg.ClientBase,
  keys: readonly { organizationId: string; id: string }[],
): Promise<LockedTask[]> {
  const { rows } = await client.query<LockedTask>({
    name: 'engine-lock',
    text: `select ${COLUMNS} from unnest($1::uuid[], $2::uuid[]) as x(o, id)
      join task t on t.id = x.id and t.organization_id is not distinct from x.o
      join run r on r.id = t.run_id and r.organization_id is not distinct from t.organization_id
      join workflow w on w.id = r.workflow_id and w.organization_id is not distinct from r.organization_id
      order by r.id, t.id for no key update of r, t`,
    values: [keys.map((key) => key.organizationId), keys.map((key) => key.id)],
  })
  return rows
}
