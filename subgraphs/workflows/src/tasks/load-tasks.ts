import type { Assignment } from '../assignment/assign.ts'
import type { Context } from '../context.ts'
import type { RecoveryStep } from '../recovery/recover.ts'

export interface AgentReference {
  id: string
}

export interface TaskRow {
  id: string
  runId: string
  status: string
  stepPath: string
  agentId: string | null
  agentVersion: number | null
  attempt: number
  input: Record<string, unknown>
  output: unknown
  error: { code: string; message: string } | null
  costUsd: string
  createdAt: Date
  startedAt: Date | null
  endedAt: Date | null
  progress: TaskProgressRow | null
  assignment: Assignment | null
  recovery: RecoveryStep[] | null
}

/** A report from inside a long step, as its task keeps it. */
export interface TaskProgressRow {
  percent: number | null
  message: string | null
  data: unknown
  time: string | Date
}

/** Columns of a {@link TaskRow}. */
export const TASK_COLUMNS = `id, run_id as "runId", status, step_path as "stepPath", agent_id as "agentId",
  agent_version as "agentVersion", attempt, input, output, error, cost_usd as "costUsd", created_at as "createdAt", started_at as "startedAt",
  ended_at as "endedAt", case when progress ? 'time' then progress end as progress, assignment, recovery`

/** Tasks by id. */
export async function loadTasks({ database, actor }: Context, ids: readonly string[]) {
  const rows = await database.readTenant<TaskRow>(
    actor,
    `select ${TASK_COLUMNS} from task where organization_id = $1 and id = any($2::uuid[])`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** The tasks of each run, oldest first. */
export async function loadTasksOfRuns({ database, actor }: Context, runIds: readonly string[]) {
  const rows = await database.readTenant<TaskRow>(
    actor,
    `select ${TASK_COLUMNS} from task where organization_id = $1 and run_id = any($2::uuid[]) order by id`,
    [actor.organizationId, runIds],
  )
  return Map.groupBy(rows, (row) => row.runId)
}
