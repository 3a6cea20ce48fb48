import { setImmediate as breathe } from 'node:timers/promises'
import { isId, parseInput } from '@tutti/runtime'
import { MOST_STEPS } from '@tutti/runtime/expressions'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { compilePolicies, type PolicySource } from '../policies/compile-policies.ts'
import { type DecisionRequest, resourceOf } from '../policies/decision-request.ts'
import { holdsAt } from '../policies/version-dates.ts'
import { decisionLogOf } from './decision-log.ts'
import { type Ruling, rule } from './rule.ts'
import { readPolicySource, rulesMemoryOf } from './rules-memory.ts'

const MOST_EXAMPLES = 20
/** So many are replayed before others may go on. */
const AT_ONCE = 250
/** Steps that conditions may take in one replay; what is left then is skipped. */
const MOST_REPLAY_STEPS = 100 * MOST_STEPS

const inputSchema = z.object({
  policyId: z.string(),
  version: z.int(),
  last: z
    .int()
    .min(1)
    .max(10_000, 'At most 10000.')
    .nullish()
    .transform((last) => last ?? 1_000),
})

/** A past decision that would be another. */
export interface ChangedDecision {
  at: Date
  actorId: string
  action: string
  resource: string | null
  /** By the rules in force. */
  from: Ruling
  /** With the version in force too. */
  to: Ruling
  reasons: string[]
}

/** Decisions that change alike. */
export interface RulingChange {
  from: Ruling
  to: Ruling
  count: number
}

export interface PolicySimulation {
  /** Decisions that were replayed, and those that were not: not kept whole, or conditions had taken too many steps by then. */
  replayed: number
  skipped: number
  differing: number
  changes: RulingChange[]
  /** The newest 20. */
  examples: ChangedDecision[]
}

interface Kept {
  at: Date
  request: DecisionRequest | { cut: true }
}

/**
 * Replays the last decisions by the rules in force now, and by the same rules with this version in place of the policy's
 * active one (with none, where the version retires it), all whatever their dates; says what would be different. Writes nothing. NOT_FOUND; BAD_INPUT with all mistakes.
 */
export async function simulatePolicy(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<PolicySimulation> {
  const { policyId, version, last } = parseInput(inputSchema, input)
  const { database } = services
  const draft = isId(policyId) ? await readPolicySource(database, actor, policyId, version) : undefined
  if (!draft) return fail('NOT_FOUND', { path: 'input.policyId' })
  await decisionLogOf(database).flush()
  const kept = await database.readTenant<Kept & { [column: string]: unknown }>(
    actor,
    'select at, request from policy_decision where organization_id = $1 order by id desc limit $2',
    [actor.organizationId, last],
  )
  const { matrix, policies, sources, exceptions } = await rulesMemoryOf(database).rulesOf(actor)
  const now = Date.now()
  const inForce = sources.filter((source) => holdsAt(source, now)).map(undated)
  const ruledBy = (list: readonly PolicySource[]) => ({
    matrix,
    policies: compilePolicies(list, exceptions, policies.conditions),
  })
  const present = ruledBy(inForce)
  const { retires, ...source } = draft
  const others = inForce.filter((each) => each.policyId !== policyId)
  const future = ruledBy(retires ? others : [...others, undated(source)])
  const changes = new Map<string, RulingChange>()
  const examples: ChangedDecision[] = []
  let [replayed, differing, taken, takenThen] = [0, 0, 0, 0]
  const replay = (rules: typeof present, request: DecisionRequest) => {
    const budget = { left: MOST_STEPS }
    const ruled = rule(rules, request, budget)
    taken += MOST_STEPS - budget.left
    return ruled
  }
  for (const [place, { at, request }] of kept.entries()) {
    if (place % AT_ONCE === AT_ONCE - 1 || taken - takenThen >= MOST_STEPS) {
      takenThen = taken
      await breathe()
    }
    if ('cut' in request || taken >= MOST_REPLAY_STEPS) continue
    replayed += 1
    const asked = { ...request, context: { ...request.context, time: at } }
    const from = replay(present, asked).ruling
    const { ruling: to, reasons } = replay(future, asked)
    if (from === to) continue
    differing += 1
    const change = changes.get(`${from} ${to}`) ?? { from, to, count: 0 }
    change.count += 1
    changes.set(`${from} ${to}`, change)
    if (examples.length < MOST_EXAMPLES) {
      const { actor: asker, action } = request
      examples.push({ at, actorId: asker.id, action, resource: resourceOf(request), from, to, reasons })
    }
  }
  return { replayed, skipped: kept.length - replayed, differing, changes: [...changes.values()], examples }
}

/** In force at every moment. */
const undated = (source: PolicySource): PolicySource => ({
  ...source,
  status: 'active',
  activatedAt: null,
  effectiveFrom: null,
  effectiveUntil: null,
  endedAt: null,
})
