import { type CoreEvent, isRunOver, type RunStatus } from '../../core/index.ts'
import type { EventRow, StrandRow, TaskRow } from '../../store/strand-change.ts'
import { type Snapshot, type Strand, type Tables, timestamp, moment } from '../tables.ts'
import { strandsOf } from './control.ts'
import { strandOf, taskOf } from './rows.ts'
import { type SignalRules, takeSignals } from './take-signals.ts'

/** What comes from outside: `startRuns`, `signalRun`, `resumeTask`, `wakeEventWaits`. */
export interface OutsideRules {
  /** The run that a key has started before. */
  existing(db: Tables, key: string): string | undefined
  /** Strands that an event wakes: those that waited for it when the statement began, and still do. */
  meant(db: Tables, then: Snapshot, key: string): Strand[]
}

export const OUTSIDE: OutsideRules = {
  existing(db, key) {
    for (const run of db.run.values()) if (run.idempotency_key === key) return run.id
    return undefined
  },

  meant: (db, then, key) =>
    [...then.strand.values()].flatMap((seen) => {
      const s = db.strand.get(seen.id)
      const waits = seen.wait_key === key && seen.status === 'waiting'
      return waits && s?.status === 'waiting' && s.wait_key === key && s.task_id === seen.task_id ? [s] : []
    }),
}

/** A run as it is to begin: `StartRow`. */
export interface Start {
  readonly id: string
  readonly key: string
  readonly workflow: string
  readonly version: string
  readonly input: Readonly<Record<string, unknown>>
  readonly limitKey: string | null
  readonly status: RunStatus
  readonly strand: StrandRow
  readonly tasks: readonly TaskRow[]
  readonly events: readonly EventRow[]
}

/** Starts a run, or finds the one that its key has started; answers with its id. */
export function startRun(db: Tables, rules: OutsideRules, start: Start): { id: string; createdAt: number } {
  const existing = rules.existing(db, start.key)
  const before = existing === undefined ? undefined : db.run.get(existing)
  if (before) return { id: before.id, createdAt: before.created_at }
  const created_at = timestamp(db.clock())
  db.run.insert({
    id: start.id,
    workflow_id: start.workflow,
    version_id: start.version,
    status: start.status,
    epoch: 0,
    input: start.input,
    output: null,
    error: null,
    state: {},
    priority: 0,
    depth: 0,
    parent_run_id: null,
    parent_task_id: null,
    parent_strand_id: null,
    paused_with_parent: false,
    idempotency_key: start.key,
    created_at,
    ended_at: null,
  })
  db.strand.insert(strandOf(db, start.id, { ...start.strand, limit_key: start.limitKey ?? undefined }))
  for (const task of start.tasks) db.insertTask(taskOf(db, start.id, task))
  for (const { type, subject, data } of start.events) db.event.push({ type, subject, data, run_id: start.id })
  return { id: start.id, createdAt: created_at }
}

/** Sends a signal to a run; false when the run is over, or this signal was sent before. */
export function signalRun(
  db: Tables,
  then: Snapshot,
  rules: SignalRules,
  signal: { id: string; run: string; name: string; payload: unknown },
): boolean {
  const run = db.run.get(signal.run)
  if (!run || isRunOver(run.status) || db.run_signal.get(signal.id)) return false
  const { id, name, payload } = signal
  db.run_signal.insert({ id, run_id: run.id, name, payload, taken_at: null })
  db.endStatement()
  const waiting = strandsOf(db, run.id).filter(
    ({ status, wait_key }) => status === 'waiting' && wait_key === `signal:${name}`,
  )
  const woken = takeSignals(
    db,
    then,
    rules,
    waiting.map((s) => s.id),
  )
  if (woken.length === 0) db.run.update(run.id, { epoch: run.epoch + 1 })
  return true
}

/** A person has decided, or nobody in time: the waiting task goes on; false when it does not wait any more. */
export function resumeTask(db: Tables, taskId: string, resume: CoreEvent): boolean {
  const t = db.task.get(taskId)
  const r = t && db.run.get(t.run_id)
  const s = t && strandsOf(db, t.run_id).find(({ task_id }) => task_id === taskId)
  if (!r || s?.status !== 'waiting' || s.resume !== null) return false
  const paused = r.status === 'paused'
  db.strand.update(s.id, {
    status: paused ? 'held' : 'ready',
    due_at: paused ? null : r.created_at,
    resume,
    wait_key: null,
    fence: s.fence + 1n,
  })
  return true
}

/** An event has happened: the strands that wait for it go on; answers with how many. */
export function wakeEventWaits(db: Tables, then: Snapshot, rules: OutsideRules, type: string): number {
  const meant = rules.meant(db, then, `event:${type}`)
  for (const s of meant) {
    const paused = db.run.get(s.run_id)?.status === 'paused'
    const t = s.task_id === null ? undefined : db.task.get(s.task_id)
    db.strand.update(s.id, {
      status: paused ? 'held' : 'ready',
      due_at: paused ? null : moment(db.clock()),
      resume: { type: 'wait_over', node: t?.node_id ?? '', payload: { type } },
      wait_key: null,
      fence: s.fence + 1n,
    })
  }
  return meant.length
}
