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
  rules: { readonly claim: ClaimRules; readonly limits: LimitRules },
  request: ClaimRequest,
): ClaimedRow[] {
  const limits = [...db.engine_limit.values()].map((limit) => taskLimit(db, limit))
  if (limits.length === 0) return claimStrands(db, then, rules.claim, request)
  const standing = rules.limits
    .due(db, then)
    .flatMap(({ id }) => db.strand.get(id) ?? [])
    .filter(({ due_at }) => due_at !== null && due_at <= db.clock())
  const { admitted, taken } = admit(
    standing.map((s) => ({ ...placeOf(s), strandId: s.id })),
    {
      limits,
      underWay: rules.limits.underWay(db, then).map(placeOf),
      leased: rules.limits.leased(db, standing),
      costly: new Set(),
      most: request.limit,
    },
  )
  rules.limits.taken(db, limits, taken)
  const these = admitted.flatMap(({ strandId }) => db.strand.get(strandId) ?? [])
  return take(db, db, rules.claim, these, request.claim)
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
