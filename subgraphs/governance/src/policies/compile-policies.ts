import { isAbout } from '@tutti/schema'
import type { Higher } from '../authority/levels.ts'
import { compilePolicyCondition, type PolicyCondition } from './compile-policy-condition.ts'
import type { Stage } from './stage.ts'
import { beginOf, endOf, type VersionDates } from './version-dates.ts'

export const EFFECTS = ['allow', 'deny', 'require_approval', 'escalate', 'redact'] as const
export type Effect = (typeof EFFECTS)[number]

/** A version of a policy, as a decision needs it. */
export interface PolicySource extends VersionDates {
  policyId: string
  versionId: string
  name: string
  version: number
  /** Of all but `active` nothing is heeded. */
  status: string
  actions: readonly string[]
  condition: string | null
  effect: Effect
  stages: readonly Stage[]
  escalateTo: Higher | null
  redact: readonly string[]
  priority: number
}

/** An exception that was approved: for whom, what and until when a policy does not hold. Empty lists mean all. */
export interface ExceptionSource {
  id: string
  policyId: string
  /** Of no other version does it hold: a reviewer saw this one. */
  version: number
  actors: readonly string[]
  actions: readonly string[]
  resources: readonly string[]
  startsAt: Date | null
  expiresAt: Date
}

export interface CompiledPolicy extends Omit<PolicySource, 'condition' | keyof VersionDates> {
  condition: PolicyCondition
  /** In force, in milliseconds since the epoch. */
  from: number
  until: number
  exceptions: readonly ExceptionSource[]
}

/** The policies in force, ready to decide by. */
export interface CompiledPolicies {
  /** Those about an action, the highest priority first. */
  about(action: string): readonly CompiledPolicy[]
  /** By version; for the next compilation, and for trying a draft. */
  conditions: ReadonlyMap<string, PolicyCondition>
}

const ALWAYS: PolicyCondition = () => ({ ok: true, value: true })
const MOST_ACTIONS = 1_000

/** Compiles each condition once: `known` are those of the compilation before, by version. */
export function compilePolicies(
  sources: readonly PolicySource[],
  exceptions: readonly ExceptionSource[] = [],
  known: ReadonlyMap<string, PolicyCondition> = new Map(),
): CompiledPolicies {
  const conditions = new Map<string, PolicyCondition>()
  const ordered = sources
    .filter(({ status }) => status === 'active')
    .map((source) => {
      const condition = known.get(source.versionId) ?? conditionOf(source.condition)
      conditions.set(source.versionId, condition)
      return compile(
        source,
        condition,
        exceptions.filter(
          ({ policyId, version }) => policyId === source.policyId && version === source.version,
        ),
      )
    })
    .sort((a, b) => b.priority - a.priority || compare(a.policyId, b.policyId) || a.version - b.version)
  // Each policy is filed under what its actions begin with, so that one action looks at a few; then remembered.
  const filed = new Map<string, CompiledPolicy[]>()
  for (const policy of ordered) {
    for (const area of new Set(policy.actions.map(areaOf))) {
      const file = filed.get(area)
      if (file) file.push(policy)
      else filed.set(area, [policy])
    }
  }
  const remembered = new Map<string, readonly CompiledPolicy[]>()
  return {
    conditions,
    about(action) {
      const before = remembered.get(action)
      if (before) return before
      const candidates = new Set([...(filed.get('*') ?? []), ...(filed.get(areaOf(action)) ?? [])])
      const about = ordered.filter(
        (policy) => candidates.has(policy) && policy.actions.some((pattern) => isAbout(pattern, action)),
      )
      if (remembered.size >= MOST_ACTIONS) remembered.clear()
      remembered.set(action, about)
      return about
    },
  }
}

function compile(
  { condition: _, activatedAt, effectiveFrom, effectiveUntil, endedAt, ...source }: PolicySource,
  condition: PolicyCondition,
  exceptions: readonly ExceptionSource[],
): CompiledPolicy {
  const dates = { activatedAt, effectiveFrom, effectiveUntil, endedAt }
  return { ...source, condition, exceptions, from: beginOf(dates), until: endOf(dates) }
}

/** What was stored was checked; should it be none any more, it is a policy that cannot be evaluated. */
function conditionOf(text: string | null): PolicyCondition {
  if (text === null) return ALWAYS
  const compiled = compilePolicyCondition(text)
  if (compiled.ok) return compiled.condition
  const message = compiled.problems.join(' ')
  return () => ({ ok: false, message })
}

const areaOf = (action: string): string => action.split('.', 1)[0] ?? action

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
