import { isRunOver } from '../core/index.ts'
import { isInLine, LINE, waitingFor } from './store/line-up-runs.ts'
import type { Run, Strand, Tables } from './tables.ts'

/** Why a strand waits, if it has a reason that nobody inside can take away; undefined: it is to go on, or is stuck. */
export function reasonOf(db: Tables, strand: Strand): string | undefined {
  if (strand.status === 'held') return isHeldForAReason(db, strand)
  if (strand.status !== 'waiting' || strand.due_at !== null) return undefined
  const task = strand.task_id === null ? undefined : db.task.get(strand.task_id)
  if (task?.status !== 'waiting') return undefined
  switch (task.kind) {
    case 'review':
      return 'a person'
    case 'wait':
      return waitReason(db, strand)
    case 'workflow':
      for (const run of db.run.values())
        if (run.parent_task_id === task.id && run.parent_strand_id === strand.id && !isRunOver(run.status))
          return 'a sub-run'
      return undefined
    case 'parallel':
    case 'map':
      for (const child of db.strand.values()) if (child.parent_id === strand.id) return 'branches or items'
      return undefined
    default:
      return undefined
  }
}

function isHeldForAReason(db: Tables, strand: Strand): string | undefined {
  const { id, run_id, parent_id, task_id } = strand
  const run = db.run.get(run_id)
  if (run && isPausedForAReason(db, run)) return 'its run is paused'
  if (isInLine(strand))
    return waitingFor(db, LINE).some(({ strandId }) => strandId === id) ? undefined : 'its run’s turn'
  const parent = parent_id === null ? undefined : db.strand.get(parent_id)
  if (task_id !== null || parent?.status !== 'waiting' || parent.width === null) return undefined
  let underWay = 0
  for (const child of db.strand.values())
    if (child.parent_id === parent_id && (child.status !== 'held' || child.task_id !== null)) underWay += 1
  return underWay >= parent.width ? 'its turn' : undefined
}

/** Somebody resumes it, or what is above it, which resumes it too. */
function isPausedForAReason(db: Tables, { status, paused_with_parent, parent_run_id }: Run): boolean {
  if (status !== 'paused') return false
  const parent = paused_with_parent && parent_run_id !== null ? db.run.get(parent_run_id) : undefined
  return !paused_with_parent || parent?.status === 'paused'
}

function waitReason(db: Tables, { wait_key, run_id }: Strand): string | undefined {
  if (wait_key === null) return undefined
  if (wait_key.startsWith('event:')) return 'an event'
  for (const signal of db.run_signal.values())
    if (signal.run_id === run_id && signal.taken_at === null && wait_key === `signal:${signal.name}`)
      return undefined
  return 'a signal'
}

/** Strands of runs that are not over and wait for no reason, and runs without strands. */
export function stuckOf(db: Tables): string[] {
  const alive = new Set<string>()
  const stuck: string[] = []
  for (const strand of db.strand.values()) {
    if (strand.parent_id === null) alive.add(strand.run_id)
    const reason = reasonOf(db, strand)
    if (reason === undefined)
      stuck.push(`"${strand.path}" of run ${strand.run_id} is ${strand.status}, due ${strand.due_at}`)
  }
  for (const run of db.run.values())
    if (!isRunOver(run.status) && !alive.has(run.id))
      stuck.push(`run ${run.id} is ${run.status} without a strand`)
  return stuck
}
