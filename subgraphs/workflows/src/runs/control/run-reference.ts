import type { EventData } from '@tutti/schema'
import type { LockedRun } from './lock-runs.ts'

/** Subject and data of an event about a run. */
export function aboutRun(run: Pick<LockedRun, 'id' | 'workflowId' | 'workflowName'>): {
  subject: string
  data: EventData<'run.started'>
} {
  const { id, workflowId, workflowName } = run
  return { subject: `run/${id}`, data: { runId: id, workflowId, workflowName } }
}
