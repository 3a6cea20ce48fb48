import type { StrandChange } from '../../store/strand-change.ts'
import type { Written } from '../../store/write-plan.ts'
import { type LoggedEvent, type Run, type Strand, type Tables, timestamp, moment } from '../tables.ts'
import { ORGANIZATION } from './claim-strands.ts'
import { arrivalOf, dueAt, eventOf, runStatus, strandOf, taskOf, taskStatus } from './rows.ts'

type Gate = readonly StrandChange[]

/** The statement of `engine/store/write-plan.ts`, part by part, under the names that the parts have there. */
export interface WriteRules {
  gate(db: Tables, changes: Gate): Gate
  moved(db: Tables, gate: Gate): void
  gone(db: Tables, gate: Gate): void
  settled(db: Tables, gate: Gate): void
  begun(db: Tables, gate: Gate): void
  runMoved(db: Tables, gate: Gate): void
  told(db: Tables, gate: Gate): void
  spread(db: Tables, gate: Gate): void
  subruns(db: Tables, gate: Gate): void
  woken(db: Tables, gate: Gate): void
  parents(db: Tables, gate: Gate): { id: string; woken: boolean; bounded: boolean }[]
}

export const WRITE: WriteRules = {
  gate: (db, changes) =>
    changes.filter((x) => {
      const r = db.run.get(x.run)
      const s = db.strand.get(x.id)
      return r?.epoch === x.epoch && String(s?.fence) === x.fence
    }),

  moved(db, gate) {
    for (const x of gate) {
      const s = db.strand.get(x.id)
      if (!s || x.gone) continue
      db.strand.update(x.id, {
        status: x.status,
        fence: s.fence + 1n,
        task_id: x.task ?? null,
        agent_id: x.agent ?? null,
        due_at: x.keep ? s.due_at : dueAt(db, x),
        claim_id: x.keep ? s.claim_id : null,
        recoveries: x.recoveries ?? 0,
        state: x.patch ? { ...s.state, ...x.patch } : s.state,
        resume: eventOf(x.resume),
        wait_key: x.wait ?? null,
        pending: x.pending ?? 0,
        needed: x.needed ?? 0,
        fail_fast: x.fast ?? false,
        width: x.width ?? null,
      })
    }
  },

  gone(db, gate) {
    for (const x of gate) if (x.gone) db.strand.delete(x.id)
  },

  settled(db, gate) {
    for (const x of gate) {
      const t = x.t_id === undefined ? undefined : db.task.get(x.t_id)
      if (!t) continue
      db.task.update(t.id, {
        status: taskStatus(x.t_status),
        output: x.t_output ?? t.output,
        error: x.t_error ?? null,
        arrival: arrivalOf(x.t_arrival) ?? t.arrival,
        approval_id: x.t_approval ?? t.approval_id,
        ended_at: x.t_over ? timestamp(db.clock()) : null,
      })
    }
  },

  begun(db, gate) {
    for (const x of gate) for (const n of x.tasks ?? []) db.insertTask(taskOf(db, x.run, n))
  },

  runMoved(db, gate) {
    for (const x of gate) {
      const r = x.r_status === undefined ? undefined : db.run.get(x.run)
      if (!r) continue
      db.run.update(r.id, {
        status: runStatus(x.r_status),
        output: x.r_output ?? r.output,
        error: x.r_error ?? r.error,
        state: x.r_state ?? r.state,
        ended_at: x.r_over ? timestamp(db.clock()) : null,
      })
    }
  },

  told(db, gate) {
    for (const x of gate)
      for (const { type, subject, data } of x.events)
        db.event.push({ type, subject, data, run_id: x.run } satisfies LoggedEvent)
  },

  spread(db, gate) {
    for (const x of gate) for (const n of x.strands ?? []) db.strand.insert(strandOf(db, x.run, n))
  },

  subruns(db, gate) {
    for (const x of gate) for (const n of x.runs ?? []) db.run.insert(subrunOf(db, n))
  },

  woken(db, gate) {
    for (const x of gate)
      for (const w of x.wakes ?? []) {
        const s = db.strand.get(w.strand)
        const c = db.run.get(x.run)
        if (s?.status !== 'waiting' || s.task_id !== c?.parent_task_id) continue
        db.strand.update(s.id, {
          status: 'ready',
          due_at: moment(db.clock()),
          fence: s.fence + 1n,
          resume: eventOf(w.resume),
          wait_key: null,
        })
      }
  },

  parents(db, gate) {
    const arrivals = Map.groupBy(
      gate.filter(({ parent }) => parent !== undefined),
      ({ parent }) => parent ?? '',
    )
    return [...arrivals].flatMap(([id, a]) => {
      const p = db.strand.get(id)
      if (p?.status !== 'waiting') return []
      const n = a.length
      const good = a.filter(({ ok }) => ok).length
      const isEnough = p.pending - n <= 0 || p.needed - good <= 0 || (p.fail_fast && n > good)
      db.strand.update(id, {
        pending: p.pending - n,
        needed: p.needed - good,
        ...(isEnough ? ({ status: 'ready', due_at: moment(db.clock()) } satisfies Partial<Strand>) : {}),
      })
      return [{ id, woken: isEnough, bounded: p.width !== null }]
    })
  },
}

/**
 * Writes the changes whose strand has the fence and whose run the epoch that they were decided by. The parts all see what
 * was so before the statement, so those that look at rows which others change come first.
 */
export function writePlan(db: Tables, rules: WriteRules, changes: Gate): Written {
  const gate = rules.gate(db, changes)
  const parents = rules.parents(db, gate)
  rules.woken(db, gate)
  rules.moved(db, gate)
  rules.gone(db, gate)
  rules.settled(db, gate)
  rules.begun(db, gate)
  rules.runMoved(db, gate)
  rules.told(db, gate)
  rules.spread(db, gate)
  rules.subruns(db, gate)
  return {
    written: new Set(gate.map(({ id }) => id)),
    woken: parents.filter(({ woken }) => woken).map(({ id }) => id),
    roomy: parents
      .filter(({ woken, bounded }) => !woken && bounded)
      .map(({ id }) => ({ organizationId: ORGANIZATION, id })),
  }
}

function subrunOf(db: Tables, n: NonNullable<StrandChange['runs']>[number]): Run {
  return {
    id: n.id,
    workflow_id: n.workflow,
    version_id: n.version,
    status: n.paused ? 'paused' : 'queued',
    epoch: 0,
    input: n.input,
    output: null,
    error: null,
    state: {},
    priority: n.priority,
    depth: n.depth,
    parent_run_id: n.parent_run,
    parent_task_id: n.parent_task,
    parent_strand_id: n.parent_strand ?? null,
    paused_with_parent: n.paused ?? false,
    idempotency_key: null,
    created_at: timestamp(db.clock()),
    ended_at: null,
  }
}
