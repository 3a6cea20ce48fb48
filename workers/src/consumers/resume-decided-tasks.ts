import {
  approvalDecision,
  approvalDecisions,
  requestApproval,
  withdrawApprovals,
} from '@tutti/governance/domain'
import type { EventData, EventRecord } from '@tutti/schema'
import { bindApproval, resumeReviews, resumeTask } from '@tutti/workflows/domain'
import { type WorkerServices, workerActor } from '../worker-services.ts'
import type { Consumer } from './start-consumer.ts'
import { LONGEST, reviewQuestion } from './review-question.ts'

/**
 * Takes decisions to the tasks that wait for them. A decision may come before its task waits: so the beginning of a
 * wait looks for a decision as well, and whichever comes second finds the other. What is still asked for a task that
 * ended is taken back, and what was asked for the agent that had it before.
 */
export function resumeDecidedTasks(services: WorkerServices, wake: () => void): Consumer {
  async function resume(event: EventRecord, taskId: string, approvalId: string): Promise<void> {
    const actor = workerActor(event.organizationId)
    const decision = await approvalDecision(services, actor, approvalId)
    if (decision && (await resumeTask(services, actor, taskId, decision))) wake()
  }

  /** Reviews that were decided in one page go on together. Answers with the events that are done by it. */
  async function resumeTogether(events: readonly EventRecord[]): Promise<ReadonlySet<EventRecord>> {
    const done = new Set<EventRecord>()
    const decided = Map.groupBy(events.filter(endsApproval), ({ organizationId }) => organizationId)
    for (const [organizationId, of] of decided) {
      if (of.length === 1) continue
      const actor = workerActor(organizationId)
      const ids = of.map((event) => taskAndApproval(event).approvalId)
      const ends = new Map(
        (await approvalDecisions(services, actor, ids)).map((each) => [each.approvalId, each]),
      )
      const decisions = new Map(
        of.flatMap((event) => {
          const { taskId, approvalId } = taskAndApproval(event)
          const decision = ends.get(approvalId)
          return taskId !== null && decision ? [[taskId, decision] as const] : []
        }),
      )
      if (decisions.size === 0) continue
      const resumed = await resumeReviews(services, actor, decisions)
      if (resumed.size > 0) wake()
      for (const event of of) if (resumed.has(taskAndApproval(event).taskId ?? '')) done.add(event)
    }
    return done
  }

  async function handle(event: EventRecord): Promise<void> {
    if (endsApproval(event)) {
      const { taskId, approvalId } = taskAndApproval(event)
      if (taskId !== null) await resume(event, taskId, approvalId)
    }
    if (event.type === 'task.waiting') {
      const { taskId, approvalId, waitsFor } = event.data as EventData<'task.waiting'>
      if (waitsFor !== 'review' && waitsFor !== 'decision') return
      await resume(event, taskId, approvalId ?? (await askForReview(event)))
    }
  }

  /** A review step has nobody who asks for it: the platform does. */
  async function askForReview(event: EventRecord): Promise<string> {
    const { taskId, runId, stepPath } = event.data as EventData<'task.waiting'>
    const actor = workerActor(event.organizationId)
    const question = await reviewQuestion(services, actor, taskId)
    const approval = await requestApproval(services, actor, {
      requestKey: `review/${taskId}`,
      title: question.title ?? stepPath.slice(0, LONGEST),
      action: stepPath.slice(0, LONGEST),
      arguments: question.arguments,
      // The step goes on without any unless it says what they look like: a yes to others would be lost.
      allowsChanges: question.argumentsSchema !== undefined,
      argumentsSchema: question.argumentsSchema,
      reason: `The workflow asks a person at step "${stepPath}".`,
      runId,
      taskId,
      ...(question.expiresAt ? { expiresAt: question.expiresAt } : {}),
      ...(question.stages ? { stages: question.stages } : {}),
    })
    await bindApproval(services, actor, taskId, approval.id)
    return approval.id
  }

  async function takeBack(events: readonly EventRecord[], why: 'ended' | 'reassigned'): Promise<void> {
    for (const [organizationId, of] of Map.groupBy(events, (event) => event.organizationId)) {
      const tasks = of.map(({ data }) => (data as EventData<'task.cancelled'>).taskId)
      await withdrawApprovals(services, workerActor(organizationId), tasks, why)
    }
  }

  return {
    name: 'resume-decided-tasks',
    failing: 'put_aside',
    async handle(events) {
      const done = await resumeTogether(events)
      for (const event of events) if (!done.has(event)) await handle(event)
      // After what they asked for in the same page, which comes before their end.
      await takeBack(events.filter(endsTask), 'ended')
      await takeBack(events.filter(reassignsTask), 'reassigned')
    },
  }
}

const endsApproval = ({ type }: EventRecord): boolean =>
  type === 'approval.decided' || type === 'approval.expired'

const taskAndApproval = ({ data }: EventRecord): { taskId: string | null; approvalId: string } =>
  data as EventData<'approval.decided' | 'approval.expired'>

const ENDING: readonly string[] = ['cancel', 'skip', 'complete']

function endsTask({ type, data }: EventRecord): boolean {
  if (type === 'task.completed' || type === 'task.failed' || type === 'task.cancelled') return true
  return type === 'task.controlled' && ENDING.includes((data as EventData<'task.controlled'>).action)
}

const reassignsTask = ({ type, data }: EventRecord): boolean =>
  type === 'task.controlled' && (data as EventData<'task.controlled'>).action === 'reassign'
