import { admit, type TaskLimit, type UnderWay } from '../../../limits/admit.ts'
import { refill } from '../../../limits/token-bucket.ts'
import type { ClaimedRow } from '../../store/claim-strands.ts'
import type { Limit, Snapshot, Strand, Tables } from '../tables.ts'
import {
  byDue,
  type ClaimRequest,
  type ClaimRules,
  claimStrands,
  isDue,
  isLost,
  ORGANIZATION,
  take,
} from './claim-strands.ts'

import { begins, type LineRules, lineUpRuns } from './line-up-runs.ts'

/** Looks at the queue, as `findRoom` has them. */
const LOOKS = 3

/**
 * The transaction of `limits/find-room.ts` and `limits/claim-room.ts`, part by part. What it decides by is read under the
 * limits' locks, so that everything but the look at the queue is one act to whoever claims. The admission is the real one.
 */
export interface LimitRules {
  /** Strands that were due when the queue was looked at, leases that ran out first. */
  due(db: Tables, then: Snapshot): Strand[]
  underWay(db: Tables, then: Snapshot): Strand[]
  /** Those of the candidates that have their place already. */
  leased(db: Tables, candidates: readonly Strand[]): Set<string>
  taken(db: Tables, limits: readonly TaskLimit[], tokens: ReadonlyMap<string, number>): void
}

export const LIMITS: LimitRules = {
  due(db, then) {
    const leases: Strand[] = []
    const due: Strand[] = []
    for (const s of then.strand.values())
      if (isDue(db, s)) due.push(s)
      else if (isLost(db, s)) leases.push(s)
    return [...leases.sort(byDue), ...due.sort(byDue)]
  },

  underWay: (db) => [...db.strand.values()].filter(({ status }) => status === 'running'),

  leased: (_db, candidates) =>
    new Set(candidates.filter(({ status }) => status === 'running').map(({ id }) => id)),

  taken(db, limits, tokens) {
    for (const { id, tokens: before } of limits) {
      const count = tokens.get(id)
      if (count !== undefined)
        db.engine_limit.update(id, { tokens: (before ?? 0) - count, refilled_at: db.clock() })
    }
  },
}

/** Claims what limits have room for; everything, where there is none. */
export function claimWithin(
  db: Tables,
  then: Snapshot,
  rules: { readonly claim: ClaimRules; readonly limits: LimitRules; readonly line: LineRules },
  request: ClaimRequest,
): ClaimedRow[] {
  if (!hasAny(db.engine_limit.values())) return claimStrands(db, then, rules.claim, request)
  const admitted: Strand[] = []
  const seen = new Set<string>()
  // What was let begin by one look is due at the next.
  for (let look = 0, seeing = then; look < LOOKS && admitted.length < request.limit; look += 1, seeing = db) {
    const standing = rules.limits
      .due(db, seeing)
      .flatMap(({ id }) => (seen.has(id) ? [] : (db.strand.get(id) ?? [])))
      .filter(({ due_at }) => due_at !== null && due_at <= db.clock())
    const lined = lineUpRuns(db, rules.line, standing.filter(begins))
    const candidates = standing.filter(({ id }) => !lined.has(id))
    for (const { id } of candidates) seen.add(id)
    admitted.push(
      ...admitOf(db, seeing, rules.limits, { candidates, granted: admitted, most: request.limit }),
    )
    if (lined.size === 0) break
  }
  const these = admitted.flatMap(({ id }) => db.strand.get(id) ?? [])
  return take(db, db, rules.claim, these, request.claim)
}

/** Those of the candidates that may be claimed beside the `granted`. */
function admitOf(
  db: Tables,
  seeing: Snapshot,
  rules: LimitRules,
  { candidates, granted, most }: { candidates: readonly Strand[]; granted: readonly Strand[]; most: number },
): Strand[] {
  const limits = [...db.engine_limit.values()].flatMap((limit) =>
    limit.counts === 'tasks' ? [taskLimit(db, limit)] : [],
  )
  const { admitted, taken } = admit(
    candidates.map((s) => ({ ...placeOf(s), strandId: s.id })),
    {
      limits,
      underWay: [...rules.underWay(db, seeing), ...granted].map(placeOf),
      leased: rules.leased(db, candidates),
      costly: new Set(),
      most: most - granted.length,
    },
  )
  rules.taken(db, limits, taken)
  db.endStatement()
  const ids = new Set(admitted.map(({ strandId }) => strandId))
  return candidates.filter(({ id }) => ids.has(id))
}

function hasAny(values: Iterable<unknown>): boolean {
  for (const _ of values) return true
  return false
}

const placeOf = (s: Strand): UnderWay => ({
  organizationId: ORGANIZATION,
  workflowId: s.workflow_id,
  agentId: s.agent_id,
  limitKey: s.limit_key,
  running: 1,
})

function taskLimit(db: Tables, { id, scope, subject, max_running, ...rate }: Limit): TaskLimit {
  const { max_starts: maxStarts, per_seconds: perSeconds, tokens, refilled_at } = rate
  return {
    id,
    organizationId: ORGANIZATION,
    scope,
    subject,
    maxRunning: max_running,
    tokens:
      maxStarts === null || perSeconds === null
        ? null
        : refill({ tokens, maxStarts, perSeconds }, (db.clock() - refilled_at) / 1_000),
    spent: false,
  }
}
