import { setTimeout as pause } from 'node:timers/promises'
import { type Actor, fail } from '@tutti/schema'
import type { Services } from '../../context.ts'
import type { ReportingTask } from './report-progress.ts'
import { readReportToken } from './report-token.ts'

const ASKED_EVERY_MS = 50
const PATIENCE_MS = 2_000

type Row = Pick<ReportingTask, 'runId' | 'workflowId' | 'workflowName' | 'stepPath' | 'agentId'>

/**
 * The task that a token was issued for, as of that attempt. BAD_INPUT with the path `input.token` when it is not a token
 * for this organization; STALE_LEASE when the task never began under it. A task whose beginning is being written is
 * waited for, 2 s at most: then UNAVAILABLE.
 */
export async function findReportingTask(
  { database, secret }: Pick<Services, 'database' | 'secret'>,
  actor: Actor,
  token: string,
): Promise<ReportingTask> {
  const claim = readReportToken(secret, token)
  if (!claim || claim.organizationId !== actor.organizationId)
    return fail('BAD_INPUT', {
      path: 'input.token',
      message: 'That is no token for a task of yours.',
      hint: 'An agent gets it with each call, as reportToken.',
    })
  const { organizationId, taskId: id, attempt, strandId, fence, begins } = claim
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const [row] = await database.readTenant<Row>(actor, TASK, [organizationId, id])
    if (row) return { ...row, organizationId, id, attempt, strandId, fence, begins }
    const [early] = await database.readTenant(actor, UNWRITTEN, [organizationId, strandId, String(fence)])
    if (!begins || !early) return fail('STALE_LEASE')
    if (performance.now() > until)
      return fail('UNAVAILABLE', { message: 'The task is not written yet; report again in a moment.' })
    await pause(ASKED_EVERY_MS)
  }
}

const TASK = `select t.run_id as "runId", r.workflow_id as "workflowId", w.name as "workflowName",
    t.step_path as "stepPath", t.agent_id as "agentId"
  from task t join run r on r.organization_id = t.organization_id and r.id = t.run_id
  join workflow w on w.organization_id = r.organization_id and w.id = r.workflow_id
  where t.organization_id = $1 and t.id = $2`
const UNWRITTEN = `select s.id from strand s
  where s.organization_id = $1 and s.id = $2 and s.fence = $3::bigint and s.status = 'running' and s.task_id is null`
