import type { Database } from '@tutti/prisma'
import { eventActor } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import type { CoreEvent, RunStatus } from './core/index.ts'
import { aboutTask, placeOf, referenceOf } from './store/plan-transitions.ts'
import { eventRow } from './store/strand-change.ts'

/** A person's answer, as it reaches the waiting task. */
export interface TaskDecision {
  approvalId: string
  decision: 'approved' | 'rejected' | 'expired'
  decidedBy: string
  comment: string | null
  arguments: unknown
}

interface WaitingTask {
  id: string
  kind: string
  node_id: string
  step_path: string
  agent_id: string | null
  attempt: number
  approval_id: string | null
  strand_id: string
  is_main: boolean
  run_id: string
  run_status: RunStatus
  created_at: string
  priority: number
  workflow_id: string
  workflow_name: string
  /** Of a review: whether it goes on with the arguments that were approved. */
  takes_arguments: boolean
}

/**
 * Lets a waiting task go on. An agent's task becomes ready again with the decision in its input under `$decision`; a
 * review is settled by the worker who takes it up. False when the task does not wait (any more, or yet) for this approval.
 */
export async function resumeTask(
  { database }: { database: Database },
  actor: Actor,
  taskId: string,
  decision: TaskDecision,
): Promise<boolean> {
  const resumed = await database.transact(actor, async (client) => {
    const task = await lockWaiting(client, actor, taskId)
    if (!task || (task.approval_id !== null && task.approval_id !== decision.approvalId)) return false
    if (task.kind === 'agent') await makeReady(client, actor, task, decision)
    const resume = task.kind === 'agent' ? null : wordOf(task, decision)
    const paused = task.run_status === 'paused'
    const due = placeOf({ createdAt: task.created_at, priority: task.priority })
    await client.query(
      `update strand set status = $3, due_at = $4, resume = $5, wait_key = null, fence = fence + 1
       where organization_id = $1 and id = $2`,
      [
        actor.organizationId,
        task.strand_id,
        paused ? 'held' : 'ready',
        paused ? null : due,
        resume && JSON.stringify(resume),
      ],
    )
    return true
  })
  if (resumed) database.announce()
  return resumed
}

/**
 * As {@link resumeTask} for several tasks of reviews, by their ids, in one transaction. It waits for nobody: what is held by
 * somebody else at this moment, and what an agent's task waits for, is left out. Answers with the tasks that go on.
 */
export async function resumeReviews(
  { database }: { database: Database },
  actor: Actor,
  decisions: ReadonlyMap<string, TaskDecision>,
): Promise<ReadonlySet<string>> {
  const { organizationId } = actor
  return database.transact(actor, async (client) => {
    const { rows } = await client.query<WaitingTask>(
      `${WAITING} and t.id = any($2::uuid[]) and t.kind <> 'agent' order by s.id
       for key share of r skip locked for no key update of s skip locked`,
      [organizationId, [...decisions.keys()]],
    )
    const resumed = rows.flatMap((task) => {
      const decision = decisions.get(task.id)
      if (!decision || (task.approval_id !== null && task.approval_id !== decision.approvalId)) return []
      const paused = task.run_status === 'paused'
      const due = placeOf({ createdAt: task.created_at, priority: task.priority })
      return [
        {
          task_id: task.id,
          strand_id: task.strand_id,
          status: paused ? 'held' : 'ready',
          due_at: paused ? null : due,
          resume: wordOf(task, decision),
        },
      ]
    })
    await client.query(
      `update strand s set status = e.status, due_at = e.due_at, resume = e.resume, wait_key = null, fence = s.fence + 1
       from jsonb_to_recordset($2::jsonb) as e(strand_id uuid, status text, due_at timestamptz, resume jsonb)
       where s.organization_id = $1 and s.id = e.strand_id`,
      [organizationId, JSON.stringify(resumed)],
    )
    return new Set(resumed.map(({ task_id }) => task_id))
  })
}

const WAITING = `select t.id, t.kind, t.node_id, t.step_path, t.agent_id, t.attempt, t.approval_id, s.id as strand_id,
    s.parent_id is null as is_main, r.id as run_id, r.status as run_status,
    to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at, r.priority, r.workflow_id,
    w.name as workflow_name, coalesce(t.input->'$review' ? 'argumentsSchema', false) as takes_arguments
  from task t
  join strand s on s.organization_id = t.organization_id and s.run_id = t.run_id and s.task_id = t.id
  join run r on r.organization_id = t.organization_id and r.id = t.run_id
  join workflow w on w.organization_id = r.organization_id and w.id = r.workflow_id
  where t.organization_id = $1 and s.status = 'waiting' and s.resume is null`

async function lockWaiting(
  client: pg.PoolClient,
  actor: Actor,
  taskId: string,
): Promise<WaitingTask | undefined> {
  const { rows } = await client.query<WaitingTask>(
    `${WAITING} and t.id = $2 for key share of r for no key update of s`,
    [actor.organizationId, taskId],
  )
  return rows[0]
}

function wordOf(task: WaitingTask, { decision, decidedBy, comment, ...approved }: TaskDecision): CoreEvent {
  if (decision === 'expired') return { type: 'review_expired', node: task.node_id }
  return {
    type: 'review_decided',
    node: task.node_id,
    outcome: decision === 'approved' ? 'approve' : 'reject',
    by: decidedBy,
    ...(comment === null ? {} : { comment }),
    ...(decision === 'approved' && task.takes_arguments ? { arguments: approved.arguments } : {}),
  }
}

/** The next attempt is the same one: it was not over when it began to wait. */
async function makeReady(
  client: pg.PoolClient,
  actor: Actor,
  task: WaitingTask,
  decision: TaskDecision,
): Promise<void> {
  const { organizationId } = actor
  await client.query(
    `update task set status = 'ready', attempt = attempt - 1, input = input || $3::jsonb
     where organization_id = $1 and id = $2`,
    [organizationId, task.id, JSON.stringify({ $decision: { ...decision, agentId: task.agent_id } })],
  )
  if (task.is_main && task.run_status === 'waiting')
    await client.query(`update run set status = 'running' where organization_id = $1 and id = $2`, [
      organizationId,
      task.run_id,
    ])
  const reference = referenceOf({
    id: task.run_id,
    workflowId: task.workflow_id,
    workflowName: task.workflow_name,
  })
  const about = aboutTask(reference, {
    id: task.id,
    path: task.step_path,
    agentId: task.agent_id,
    attempt: task.attempt,
  })
  const event = eventRow({ type: 'task.ready', ...about })
  await client.query(
    `insert into log.event (organization_id, type, subject, actor, data, run_id) values ($1, $2, $3, $4, $5, $6)`,
    [
      organizationId,
      event.type,
      event.subject,
      JSON.stringify(eventActor(actor)),
      JSON.stringify(event.data),
      task.run_id,
    ],
  )
}

/** Notes the approval that a review's task waits for. */
export async function bindApproval(
  { database }: { database: Database },
  actor: Actor,
  taskId: string,
  approvalId: string,
): Promise<void> {
  await database.transact(actor, (client) =>
    client.query(
      `update task set approval_id = $3 where organization_id = $1 and id = $2 and status = 'waiting' and approval_id is null`,
      [actor.organizationId, taskId, approvalId],
    ),
  )
}
