import { type CoreEvent, isRunCancellable, isRunOver, isRunPausable, isTaskOver } from '../../core/index.ts'
import { type Run, type Strand, type Tables, timestamp } from '../tables.ts'
import type { WriteRules } from './write-plan.ts'

/**
 * The transactions of `runs/control` and `tasks/control`, which lock the run before anything else, so that they are one
 * act to whoever writes for it. `raiseEpoch` and `woken` are as everywhere.
 */
export interface ControlRules {
  raiseEpoch(db: Tables, runs: readonly Run[]): void
  heldByPause(db: Tables, run: Run): void
  /** Whether a sub-run goes on with the run above it. */
  wasPausedWith(db: Tables, run: Run): boolean
  /** How many more children of a bounded parent may be under way, when its run goes on. */
  room(db: Tables, parent: Strand): number
  deleted(db: Tables, runs: readonly Run[]): void
}

export const CONTROL: ControlRules = {
  raiseEpoch(db, runs) {
    for (const { id } of runs) db.run.update(id, { epoch: (db.run.get(id)?.epoch ?? 0) + 1 })
    db.endStatement()
  },

  heldByPause(db, run) {
    for (const s of strandsOf(db, run.id))
      if (s.status === 'ready') db.strand.update(s.id, { status: 'held', due_at: null })
  },

  wasPausedWith: (_db, { status, paused_with_parent }) => status === 'paused' && paused_with_parent,

  room(db, { id, width }) {
    let underWay = 0
    for (const c of db.strand.values())
      if (c.parent_id === id && (c.status !== 'held' || c.task_id !== null)) underWay += 1
    return (width ?? 0) - underWay
  },

  deleted(db, runs) {
    for (const run of runs) for (const s of strandsOf(db, run.id)) db.strand.delete(s.id)
  },
}

interface Rules {
  readonly control: ControlRules
  readonly write: WriteRules
}

/** `pauseRuns`, with the sub-runs that are waited for; false when it cannot be. */
export function pauseRun(db: Tables, { control }: Rules, id: string): boolean {
  const run = db.run.get(id)
  if (!run || !isRunPausable(run.status)) return false
  const all = [run, ...subrunsOf(db, run, isAwaited).filter(({ status }) => isRunPausable(status))]
  control.raiseEpoch(db, all)
  for (const each of all) {
    control.heldByPause(db, each)
    db.run.update(each.id, { status: 'paused', paused_with_parent: each !== run })
    db.event.push({ type: 'run.paused', subject: `run/${each.id}`, data: {}, run_id: each.id })
  }
  return true
}

/** `resumeRuns`, with what was paused with it; false when it is not paused. */
export function resumeRun(db: Tables, { control }: Rules, id: string): boolean {
  const run = db.run.get(id)
  if (run?.status !== 'paused') return false
  const all = [run, ...subrunsOf(db, run, control.wasPausedWith)]
  control.raiseEpoch(db, all)
  for (const { id: run_id } of all) {
    const main = strandsOf(db, run_id).find(({ parent_id }) => parent_id === null)
    const task = main?.task_id ? db.task.get(main.task_id) : undefined
    const isWaiting = main?.status === 'waiting' && task?.kind !== 'parallel' && task?.kind !== 'map'
    const hasBegun = [...db.task.values()].some((t) => t.run_id === run_id)
    const status = hasBegun ? (isWaiting && task ? 'waiting' : 'running') : 'queued'
    db.run.update(run_id, { status, paused_with_parent: false })
    db.event.push({ type: 'run.resumed', subject: `run/${run_id}`, data: {}, run_id })
  }
  db.endStatement()
  for (const each of all) releaseStrands(db, control, each.id)
  return true
}

/** `releaseStrands`: held strands of a run go on, as far as the bounds of their maps allow. */
function releaseStrands(db: Tables, control: ControlRules, id: string): void {
  const held = strandsOf(db, id).filter(({ status }) => status === 'held')
  const turns = new Map<string, number>()
  const goes = held
    .toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))
    .filter(({ parent_id, task_id }) => {
      const p = parent_id === null ? undefined : db.strand.get(parent_id)
      if (task_id !== null || !p || p.width === null) return true
      const turn = (turns.get(p.id) ?? 0) + 1
      turns.set(p.id, turn)
      return turn <= control.room(db, p)
    })
  const due_at = db.run.get(id)?.created_at ?? 0
  for (const s of goes) db.strand.update(s.id, { status: 'ready', due_at })
}

/** `cancelRuns`, with the sub-runs that are waited for; false when it is over. */
export function cancelRun(db: Tables, rules: Rules, id: string): boolean {
  const run = db.run.get(id)
  if (!run || !isRunCancellable(run.status)) return false
  const all = [run, ...subrunsOf(db, run, isAwaited)]
  rules.control.raiseEpoch(db, all)
  const error = { code: 'RUN_CANCELLED', message: 'Stopped on request.' }
  for (const { id: run_id } of all) {
    for (const t of db.task.values()) {
      if (t.run_id !== run_id || isTaskOver(t.status)) continue
      db.task.update(t.id, { status: 'cancelled', ended_at: timestamp(db.clock()) })
      db.event.push({ type: 'task.cancelled', subject: `task/${t.id}`, data: {}, run_id })
    }
    const main = strandsOf(db, run_id).find(({ parent_id }) => parent_id === null)
    const ended_at = timestamp(db.clock())
    db.run.update(run_id, { status: 'cancelled', error, ended_at, state: main?.state ?? null })
    db.event.push({ type: 'run.cancelled', subject: `run/${run_id}`, data: {}, run_id })
  }
  rules.control.deleted(db, all)
  db.endStatement()
  wakeParent(db, rules.write, run, {
    type: 'child_run_ended',
    node: '',
    status: 'cancelled',
    output: {},
    error,
  })
  return true
}

/** `tellCore`: something happened to an open task by hand; false when it is not open. */
export function tellCore(db: Tables, rules: Rules, taskId: string, event: CoreEvent): boolean {
  const t = db.task.get(taskId)
  const r = t && db.run.get(t.run_id)
  const s = t && strandsOf(db, t.run_id).find(({ task_id }) => task_id === taskId)
  if (!t || !r || !s || isTaskOver(t.status)) return false
  const paused = r.status === 'paused'
  db.strand.update(s.id, {
    status: paused ? 'held' : 'ready',
    due_at: paused ? null : r.created_at,
    fence: s.fence + 1n,
    claim_id: null,
    resume: event,
    wait_key: null,
    recoveries: 0,
  })
  db.endStatement()
  for (const run of db.run.values())
    if (run.parent_task_id === taskId && run.parent_strand_id !== null) cancelRun(db, rules, run.id)
  return true
}

/** `wakeParents`: the strand that waits for a sub-run hears of its end, as `woken` tells it. */
function wakeParent(db: Tables, write: WriteRules, run: Run, resume: CoreEvent): void {
  if (run.parent_strand_id === null) return
  const wakes = [{ strand: run.parent_strand_id, resume }]
  const change = {
    o: '',
    id: '',
    run: run.id,
    fence: '',
    epoch: run.epoch,
    status: 'ready',
    events: [],
  } as const
  write.woken(db, [{ ...change, events: [], wakes }])
}

export function strandsOf(db: Tables, run: string): Strand[] {
  return [...db.strand.values()].filter(({ run_id }) => run_id === run)
}

/** `lockSubruns`: those begun by tasks of the run, and theirs, that are not over. */
function subrunsOf(db: Tables, run: Run, isMeant: (db: Tables, run: Run) => boolean): Run[] {
  const found: Run[] = []
  for (let level = [run]; level.length > 0;) {
    const ids = new Set(level.map(({ id }) => id))
    level = [...db.run.values()].filter((r) => {
      const t = r.parent_task_id === null ? undefined : db.task.get(r.parent_task_id)
      return t !== undefined && ids.has(t.run_id) && !isRunOver(r.status) && isMeant(db, r)
    })
    found.push(...level)
  }
  return found
}

const isAwaited = (db: Tables, { parent_task_id, parent_strand_id }: Run): boolean =>
  parent_strand_id !== null && parent_task_id !== null && db.task.get(parent_task_id)?.status === 'waiting'
