import type { ClaimedRow } from '../../store/claim-strands.ts'
import { idOf } from '../id-of.ts'
import type { Snapshot, Strand, Tables } from '../tables.ts'
import { leaseEnd } from './rows.ts'

type Candidate = Pick<Strand, 'id' | 'fence'>
export interface ClaimRequest {
  readonly limit: number
  readonly claim: string
  /** Whether leases that ran out are looked for. */
  readonly lost: boolean
  /** Timers that the claiming process knows itself; the statement does not ask. */
  readonly timers: ReadonlySet<string>
}
type Claimed = Strand & { readonly timed: boolean; readonly lost: boolean }
interface Described {
  readonly row: ClaimedRow
  readonly lost: boolean
  readonly work: boolean
}
export type Held = readonly { readonly id: string; readonly fence: bigint }[]

/**
 * The statements of `engine/store/claim-strands.ts`, part by part, under the names that the parts have there. There is
 * one tenant, without orders to stop. `then` is what the statement saw when it began, `db` what is so by the
 * time it has its locks.
 */
export interface ClaimRules {
  candidate(db: Tables, then: Snapshot, request: ClaimRequest): Candidate[]
  mine(db: Tables, candidates: readonly Candidate[]): Strand[]
  claimed(db: Tables, mine: readonly Strand[], claim: string): Claimed[]
  described(db: Tables, then: Snapshot, claimed: readonly Claimed[]): Described[]
  begun(db: Tables, described: readonly Described[]): void
  told(db: Tables, described: readonly Described[]): void
  reread(db: Tables, then: Snapshot, held: Held): ClaimedRow[]
  renewed(db: Tables, held: Held): string[]
  forgiven(db: Tables, ids: readonly string[]): void
}

const CARRIED_ON: readonly string[] = ['running', 'waiting']

/** `IS_LOST`: its lease ran out; one that was lost more than once is left alone for a moment. */
export function isLost(db: Tables, { id, status, due_at, recoveries }: Strand): boolean {
  if (status !== 'running' || due_at === null) return false
  const pause = Math.max(recoveries - 1, 0) * (0.5 + (id.charCodeAt(id.length - 1) % 16) / 16) * 1_000
  return due_at <= db.clock() - pause
}

/** Whether it is due, its lease apart. */
export const isDue = (db: Tables, { status, due_at }: Strand): boolean =>
  status !== 'running' && due_at !== null && due_at <= db.clock()

export const byDue = (a: Strand, b: Strand): number => (a.due_at ?? 0) - (b.due_at ?? 0)

export const CLAIM: ClaimRules = {
  candidate(db, then, { limit, lost }) {
    const leases: Strand[] = []
    const due: Strand[] = []
    for (const s of then.strand.values())
      if (isDue(db, s)) due.push(s)
      else if (lost && isLost(db, s)) leases.push(s)
    return [...leases.sort(byDue), ...due.sort(byDue)].slice(0, limit)
  },

  mine: (db, candidates) =>
    candidates.flatMap((x) => {
      const s = db.strand.get(x.id)
      return s && s.fence === x.fence && s.due_at !== null && s.due_at <= db.clock() ? [s] : []
    }),

  claimed: (db, mine, claim) =>
    mine.map((m) => {
      db.strand.update(m.id, {
        status: 'running',
        claim_id: claim,
        fence: m.fence + 1n,
        recoveries: m.recoveries + (m.status === 'running' ? 1 : 0),
        due_at: leaseEnd(db),
      })
      const s = db.strand.get(m.id) ?? m
      return { ...s, timed: m.status === 'waiting', lost: m.status === 'running' }
    }),

  described: (_db, then, claimed) =>
    claimed.flatMap((c) => {
      const row = describe(then, c, c.timed)
      if (!row) return []
      const isWork = (row.kind === 'agent' || row.kind === 'message') && c.resume === null && !c.timed
      return [{ row, lost: c.lost, work: isWork }]
    }),

  begun(db, described) {
    for (const { row: d, lost, work } of described) {
      const t = d.task_id === null ? undefined : db.task.get(d.task_id)
      if (t && work && CARRIED_ON.includes(d.run_status))
        db.task.update(t.id, { status: 'running', attempt: t.attempt + (lost ? 0 : 1) })
    }
  },

  told(db, described) {
    for (const { row, work } of described)
      if (work && CARRIED_ON.includes(row.run_status))
        db.event.push({ type: 'task.started', subject: `task/${row.task_id}`, data: {}, run_id: row.run_id })
  },

  reread: (db, then, held) =>
    held.flatMap((x) => {
      const c = then.strand.get(x.id)
      const row = c && c.fence === x.fence && c.status === 'running' ? describe(then, c, false) : undefined
      return row ? [row] : []
    }),

  renewed: (db, held) =>
    held.flatMap((x) => {
      const s = db.strand.get(x.id)
      if (s?.fence !== x.fence || s.status !== 'running') return [x.id]
      db.strand.update(x.id, { due_at: leaseEnd(db) })
      return []
    }),

  forgiven(db, ids) {
    for (const id of ids) {
      const s = db.strand.get(id)
      if (s) db.strand.update(id, { recoveries: Math.max(s.recoveries - 1, -1) })
    }
  },
}

/** Takes up to `limit` strands that are due. */
export function claimStrands(
  db: Tables,
  then: Snapshot,
  rules: ClaimRules,
  request: ClaimRequest,
): ClaimedRow[] {
  return take(db, then, rules, rules.candidate(db, then, request), request.claim)
}

/** Takes these, if they are still due: what `claimStrands` and `claimThese` have in common. */
export function take(
  db: Tables,
  then: Snapshot,
  rules: ClaimRules,
  candidates: readonly Candidate[],
  claim: string,
): ClaimedRow[] {
  const mine = rules.mine(db, candidates)
  const claimed = rules.claimed(db, mine, claim)
  const described = rules.described(db, then, claimed)
  rules.begun(db, described)
  rules.told(db, described)
  return described.map(({ row, lost, work }) =>
    work && !lost ? { ...row, attempt: (row.attempt ?? 0) + 1 } : row,
  )
}

/** `COLUMNS`: a strand with its run and its task. */
function describe(then: Snapshot, c: Strand, timed: boolean): ClaimedRow | undefined {
  const r = then.run.get(c.run_id)
  if (!r) return undefined
  const t = c.task_id === null ? undefined : then.task.get(c.task_id)
  return {
    organization_id: ORGANIZATION,
    id: c.id,
    fence: c.fence,
    run_id: c.run_id,
    limit_key: c.limit_key,
    parent_id: c.parent_id,
    parent_task_id: c.parent_task_id,
    compound: c.compound,
    key: c.key,
    position: c.position,
    path: c.path,
    state: c.state,
    resume: c.resume,
    strand_generation: c.generation,
    recoveries: c.recoveries,
    timed,
    ordered: false,
    epoch: r.epoch,
    run_status: r.status,
    run_input: r.input,
    run_created_at: new Date(r.created_at).toISOString(),
    run_priority: r.priority,
    run_depth: r.depth,
    parent_strand_id: r.parent_strand_id,
    workflow_id: r.workflow_id,
    workflow_name: r.workflow_id,
    version_id: r.version_id,
    task_id: t?.id ?? null,
    node_id: t?.node_id ?? null,
    step_path: t?.step_path ?? null,
    kind: t?.kind ?? null,
    task_status: t?.status ?? null,
    generation: t?.generation ?? null,
    attempt: t?.attempt ?? null,
    input: t?.input ?? null,
    timeout_ms: t?.timeout_ms ?? null,
    agent_id: t?.agent_id ?? null,
    agent_name: t?.agent_name ?? null,
    created_ms: t?.created_at ?? null,
  }
}

/** The only tenant. */
export const ORGANIZATION = idOf('org')
