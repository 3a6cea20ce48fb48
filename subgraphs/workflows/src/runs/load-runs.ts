import type { Context } from '../context.ts'
import type { TaskRow } from '../tasks/load-tasks.ts'

export interface RunReference {
  id: string
}

export interface RunRow extends RunReference {
  status: string
  workflowId: string
  versionId: string
  input: unknown
  state: Record<string, unknown>
  output: unknown
  error: { code: string; message: string } | null
  idempotencyKey: string | null
  costUsd: string
  createdAt: Date
  endedAt: Date | null
  /** Of a run of the past: its tasks as they were. */
  tasks?: TaskRow[]
}

/** Columns of a {@link RunRow}; while the run lives its state is its main strand's. */
export const RUN_COLUMNS = `id, status, workflow_id as "workflowId", version_id as "versionId", input,
  coalesce((select s.state from strand s where s.organization_id = run.organization_id and s.run_id = run.id
    and s.parent_id is null), state) as state, output,
  error, idempotency_key as "idempotencyKey", cost_usd as "costUsd", created_at as "createdAt", ended_at as "endedAt"`

/** Runs by id. */
export async function loadRuns({ database, actor }: Context, ids: readonly string[]) {
  const rows = await database.readTenant<RunRow>(
    actor,
    `select ${RUN_COLUMNS} from run where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
