import type { Actor, EventData, NewEvent } from '@tutti/schema'
import { v7 as uuidv7 } from 'uuid'
import { isRunOver, type RunStatus, runStatusAfter, type Transition } from '../core/index.ts'
import type { TaskCreation, WritePlan } from './write-plan.ts'

/** The run that transitions belong to. */
export interface PlannedRun {
  organizationId: string
  id: string
  workflowId: string
  workflowName: string
  status: RunStatus
  /** When it was started; absent for one that starts now. */
  createdAt?: Date
}

/** The task that the event was about, with what its attempt brought. */
export interface PlannedTask {
  id: string
  stepPath: string
  agentId: string | null
  attempt: number
  output?: unknown
  costUsd?: number
}

export interface PlanOptions {
  actor: Pick<Actor, 'id' | 'kind' | 'name'>
  /** Agent ids by name; a name without one is found, or not, when its task runs. */
  agents: ReadonlyMap<string, string>
  /** Set to take a lone successor at once, under this claim. */
  claim?: string
}

type RunReference = EventData<'run.started'>

/**
 * Turns the core's transitions into rows and events, in the core's order. Returns the creations that were claimed.
 */
export function planTransitions(
  plan: WritePlan,
  run: PlannedRun,
  task: PlannedTask | undefined,
  transitions: readonly Transition[],
  options: PlanOptions,
): TaskCreation[] {
  const o = run.organizationId
  const reference = { runId: run.id, workflowId: run.workflowId, workflowName: run.workflowName }
  const emit = (event: NewEvent): void => void plan.events.push({ o, actor: options.actor, event })
  const aboutRun = { subject: `run/${run.id}`, data: reference }
  const claimed: TaskCreation[] = []
  const patch: Record<string, unknown> = {}
  const status = runStatusAfter(run.status, transitions)
  const change: WritePlan['runs'][number] = { o, id: run.id, status, patch, over: isRunOver(status) }
  if (task?.costUsd) change.cost = task.costUsd
  const successors = transitions.filter((each) => each.type === 'create_task')

  for (const transition of transitions) {
    switch (transition.type) {
      case 'create_task': {
        const creation = toCreation(run, transition, options, successors.length === 1)
        plan.creations.push(creation)
        if (creation.claim) claimed.push(creation)
        for (const event of eventsOfCreation(reference, creation)) emit(event)
        break
      }
      case 'settle_task': {
        if (!task) break
        const about = aboutTask(reference, task)
        const { status: settled, error } = transition
        plan.tasks.push({
          o,
          id: task.id,
          status: settled,
          output: task.output ?? null,
          error: error ?? null,
          cost: task.costUsd ?? 0,
        })
        if (settled === 'completed') emit({ type: 'task.completed', ...about })
        else
          emit({
            type: 'task.failed',
            subject: about.subject,
            data: { ...about.data, error: error ?? UNKNOWN },
          })
        break
      }
      case 'retry_task': {
        if (!task) break
        const about = aboutTask(reference, task)
        const { delayMs, error } = transition
        plan.tasks.push({
          o,
          id: task.id,
          status: 'ready',
          error,
          delay_ms: delayMs,
          cost: task.costUsd ?? 0,
        })
        const readyAt = new Date(Date.now() + delayMs).toISOString()
        emit({ type: 'task.retrying', subject: about.subject, data: { ...about.data, error, readyAt } })
        break
      }
      case 'write_state':
        patch[transition.name] = transition.value
        break
      case 'complete_run':
        change.output = transition.output
        emit({
          type: 'run.completed',
          subject: aboutRun.subject,
          data: { ...reference, fallback: transition.output.fallback },
        })
        break
      case 'fail_run':
        change.error = transition.error
        emit({
          type: 'run.failed',
          subject: aboutRun.subject,
          data: { ...reference, error: transition.error },
        })
        break
      case 'cancel_run':
        change.error = { code: 'RUN_CANCELLED', message: transition.reason ?? 'Stopped on request.' }
        emit({ type: 'run.cancelled', ...aboutRun })
        break
      case 'record_choice':
        break
    }
  }
  if (status === 'waiting' && run.status !== 'waiting') emit({ type: 'run.waiting', ...aboutRun })
  plan.runs.push(change)
  return claimed
}

const UNKNOWN = { code: 'UNKNOWN', message: 'No reason was given.' }

function toCreation(
  run: PlannedRun,
  transition: Transition & { type: 'create_task' },
  { agents, claim }: PlanOptions,
  alone: boolean,
): TaskCreation {
  const agent = transition.kind === 'agent' ? transition.agent : null
  const continues = alone && transition.status === 'ready' && !transition.delayMs
  return {
    o: run.organizationId,
    id: uuidv7(),
    run: run.id,
    path: transition.path,
    node: transition.node,
    kind: transition.kind,
    agent,
    agent_id: agent === null ? null : (agents.get(agent) ?? null),
    status: transition.status,
    input: { ...transition.input, ...reviewInput(transition) },
    timeout_ms: transition.kind === 'agent' ? transition.timeoutMs : 0,
    delay_ms: transition.delayMs ?? 0,
    since: transition.delayMs || !run.createdAt ? null : run.createdAt.toISOString(),
    claim: continues ? (claim ?? null) : null,
  }
}

/** What the approval of a review asks, kept with its task. */
function reviewInput(transition: Transition & { type: 'create_task' }): Record<string, unknown> {
  if (transition.kind !== 'review') return {}
  const { role, question, deadlineMs } = transition
  return { $review: { role, question, ...(deadlineMs === undefined ? {} : { deadlineMs }) } }
}

function eventsOfCreation(reference: RunReference, creation: TaskCreation): NewEvent[] {
  const about = aboutTask(reference, {
    id: creation.id,
    stepPath: creation.path,
    agentId: creation.agent_id,
    attempt: creation.claim ? 1 : 0,
  })
  if (creation.status === 'waiting') {
    return [{ type: 'task.waiting', subject: about.subject, data: { ...about.data, approvalId: null } }]
  }
  const ready: NewEvent = { type: 'task.ready', subject: about.subject, data: { ...about.data, attempt: 0 } }
  return creation.claim ? [ready, { type: 'task.started', ...about }] : [ready]
}

/** Subject and data of an event about a task. */
export function aboutTask(
  reference: RunReference,
  task: Pick<PlannedTask, 'id' | 'stepPath' | 'agentId' | 'attempt'>,
): { subject: string; data: EventData<'task.completed'> } {
  const { id, stepPath, agentId, attempt } = task
  return { subject: `task/${id}`, data: { ...reference, taskId: id, stepPath, agentId, attempt } }
}
