import { type Tables, moment } from '../tables.ts'
import type { Held } from './claim-strands.ts'

/** The statements of `engine/store/let-go.ts`. */
export interface LetGoRules {
  dropped(db: Tables, held: Held): void
  parked(db: Tables, held: Held): void
  /** An attempt whose worker was lost is no attempt. */
  back(db: Tables, held: Held): void
}

export const LET_GO: LetGoRules = {
  dropped(db, held) {
    for (const x of held) if (db.strand.get(x.id)?.fence === x.fence) db.strand.delete(x.id)
  },

  // The run is locked by then, so its status is the present one.
  parked(db, held) {
    for (const x of held) {
      const s = db.strand.get(x.id)
      if (s?.fence !== x.fence) continue
      const isPaused = db.run.get(s.run_id)?.status === 'paused'
      db.strand.update(x.id, {
        status: isPaused ? 'held' : 'ready',
        due_at: isPaused ? null : moment(db.clock()),
        claim_id: null,
        fence: s.fence + 1n,
      })
    }
  },

  back(db, held) {
    for (const x of held) {
      const s = db.strand.get(x.id)
      const t = s?.fence === x.fence && s.task_id !== null ? db.task.get(s.task_id) : undefined
      if (t?.status === 'running')
        db.task.update(t.id, { status: 'ready', attempt: Math.max(t.attempt - 1, 0) })
    }
  },
}

export function dropStrands(db: Tables, rules: LetGoRules, held: Held): void {
  rules.dropped(db, held)
}

export function parkStrands(db: Tables, rules: LetGoRules, held: Held): void {
  rules.back(db, held)
  rules.parked(db, held)
}
