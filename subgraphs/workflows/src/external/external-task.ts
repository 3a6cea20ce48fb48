import type { NewEvent } from '@tutti/schema'
import { aboutTask } from '../engine/store/plan-transitions.ts'

/** A task of an external agent, as events name it. */
export interface ExternalTask {
  id: string
  path: string
  agentId: string
  attempt: number
  runId: string
  workflowId: string
  workflowName: string
}

/** Columns of an {@link ExternalTask}: its task is `t`, its run `r`, the workflow `w`. */
export const EXTERNAL_TASK_COLUMNS = `t.id, t.step_path as path, t.agent_id as "agentId", t.attempt, r.id as "runId",
  r.workflow_id as "workflowId", w.name as "workflowName"`

/** What joins a row with `organization_id`, `task_id` and `run_id` to them. */
export const joinsOf = (row: string): string =>
  `join task t on t.organization_id = ${row}.organization_id and t.id = ${row}.task_id
   join run r on r.organization_id = ${row}.organization_id and r.id = ${row}.run_id
   join workflow w on w.organization_id = r.organization_id and w.id = r.workflow_id`

/** It was taken on under this fence. */
export function claimedEvent(task: ExternalTask, fence: number): NewEvent {
  const { subject, data } = aboutTask(task, task)
  return { type: 'task.claimed', subject, data: { ...data, fence } }
}

/** The claim of this fence is over, and the task for other workers. */
export function releasedEvent(
  task: ExternalTask,
  fence: number,
  cause: 'returned' | 'lease' | 'stopped',
): NewEvent {
  const { subject, data } = aboutTask(task, task)
  return { type: 'task.released', subject, data: { ...data, fence, cause } }
}
