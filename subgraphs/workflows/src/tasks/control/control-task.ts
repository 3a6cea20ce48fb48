import { type Actor, type EventData, fail } from '@tutti/schema'
import type pg from 'pg'
import type { Services } from '../../context.ts'
import { type CoreEvent, isRunPaused, isTaskOver } from '../../engine/core/index.ts'
import { aboutTask } from '../../engine/store/plan-transitions.ts'
import { readReason } from '../../runs/control/read-reason.ts'
import { recordEvents } from '../../runs/control/record-events.ts'
import { retryDeadlocks } from '../../runs/control/retry-deadlocks.ts'
import { aboutRun } from '../../runs/control/run-reference.ts'
import { endSubrun } from './end-subrun.ts'
import { type LockedTask, lockTask } from './lock-task.ts'

/** One task, and why somebody acts on it. */
export interface TaskControl {
  id: string
  reason?: string | null | undefined
}

/** A locked task that is not over, with its strand. */
export type OpenTask = LockedTask & { strand: NonNullable<LockedTask['strand']> }

export interface TaskAct {
  action: EventData<'task.controlled'>['action']
  /** Whether it is so already: then nothing is written. */
  isSo?(task: LockedTask): boolean
  act(client: pg.PoolClient, task: OpenTask, reason: string | null): Promise<void>
}

/**
 * Acts on one task. What is so already is no mistake. NOT_FOUND; INVALID_STATE, with the state, when the task is over or
 * does not take the act.
 */
export async function controlTask(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  { id, reason }: TaskControl,
  { action, isSo, act }: TaskAct,
): Promise<void> {
  const why = readReason(reason)
  await retryDeadlocks(() =>
    database.transact(actor, async (client) => {
      const task = await lockTask(client, actor, id)
      if (isSo?.(task)) return
      if (!isOpen(task)) return refuse(task)
      await act(client, task, why)
      const about = aboutTask(aboutRun(task.run).data, task)
      await recordEvents(client, actor, [
        { type: 'task.controlled', subject: about.subject, data: { ...about.data, action, reason: why } },
      ])
    }),
  )
  database.announce()
  wake()
}

const isOpen = (task: LockedTask): task is OpenTask => task.strand !== undefined && !isTaskOver(task.status)

/** INVALID_STATE, with the state in which the task is. */
export function refuse({ status, run }: LockedTask, hint?: string): never {
  const advice =
    hint ?? (status === 'failed' && run.status === 'failed' ? 'retryRun does it again.' : undefined)
  fail('INVALID_STATE', {
    path: 'input.id',
    message: `The task is ${status}, its run ${run.status}.`,
    ...(advice === undefined ? {} : { hint: advice }),
  })
}

/**
 * Tells the core of something that happened to a task by hand: its strand is for a worker, or held while its run is
 * paused. The fence moves, so that work under way is told and its answer refused; what the task waited for ends.
 */
export async function tellCore(
  client: pg.PoolClient,
  actor: Actor,
  task: OpenTask,
  event: CoreEvent,
  reason: string | null,
): Promise<void> {
  await client.query(
    `update strand s set status = $3, due_at = case when $3 = 'ready' then ${PLACE} end, fence = s.fence + 1,
       claim_id = null, resume = $4, wait_key = null, recoveries = 0
     from run r where r.organization_id = $1 and r.id = s.run_id and s.organization_id = $1 and s.id = $2`,
    [
      actor.organizationId,
      task.strand.id,
      isRunPaused(task.run.status) ? 'held' : 'ready',
      JSON.stringify(event),
    ],
  )
  await endSubrun(client, actor, task, reason)
}

/** A strand's place in the queue: its run's beginning, a step of priority being an hour. */
export const PLACE = `r.created_at - s.priority * interval '1 hour'`
