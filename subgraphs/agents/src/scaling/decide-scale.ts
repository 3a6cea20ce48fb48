import type { ScalingPolicy } from './scaling-policy.ts'

/** What an agent has to do. */
export interface AgentLoad {
  /** Tasks under way, and tasks that wait for it. */
  running: number
  queued: number
  /** The 95th percentile of its attempts in the last minutes; null: there was none. */
  responseP95Ms: number | null
}

/** How an agent stands. */
export interface ScalingState {
  instances: number
  /** Tasks that one instance takes at once, from 1. */
  tasksPerInstance: number
  /** Instances of other agents of its type. */
  othersOfType: number
  /** When its instances were changed last, in milliseconds; null: never. */
  scaledAt: number | null
}

/** Why instances change, or stay. */
export type ScalingReason =
  | 'below_minimum'
  | 'above_maximum'
  | 'utilisation'
  | 'queue'
  | 'response_time'
  | 'idle'
  | 'at_maximum'
  | 'at_minimum'
  | 'cooldown'
  | 'steady'

export type ScalingDecision =
  | { instances: number; reason: ScalingReason; hold?: never }
  | { hold: true; reason: ScalingReason; instances?: never }

const hold = (reason: ScalingReason): ScalingDecision => ({ hold: true, reason })

/**
 * How many instances the agent may have: by its own bounds and by what is left of its type's. At least one, whatever else is
 * said: an agent without instances is bound by nothing. The type's maximum goes before everything else.
 */
export function boundsOf(
  policy: ScalingPolicy,
  { othersOfType }: Pick<ScalingState, 'othersOfType'>,
): { min: number; max: number } {
  const max = Math.max(1, Math.min(policy.maxInstances, policy.maxPerType - othersOfType))
  const min = Math.max(1, policy.minInstances, policy.minPerType - othersOfType)
  return { min: Math.min(min, max), max }
}

/**
 * Whether an agent gets more or fewer instances. It grows at once to what its load needs at the upper threshold, and by
 * one for its response time; it shrinks by one when it is below the lower threshold, nothing waits, and what runs would
 * stay below the upper threshold. Bounds hold at any time, cooldowns between changes for load's sake.
 */
export function decideScale(
  policy: ScalingPolicy,
  load: AgentLoad,
  state: ScalingState,
  now: number,
): ScalingDecision {
  const { instances, tasksPerInstance, scaledAt } = state
  const { min, max } = boundsOf(policy, state)
  if (instances < min) return { instances: min, reason: 'below_minimum' }
  if (instances > max) return { instances: max, reason: 'above_maximum' }
  const slots = instances * tasksPerInstance
  const since = scaledAt === null ? Number.POSITIVE_INFINITY : now - scaledAt
  const growth = growthOf(policy, load, state)
  if (growth) {
    if (instances === max) return hold('at_maximum')
    if (since < policy.upCooldownMs) return hold('cooldown')
    return { instances: Math.min(max, growth.instances), reason: growth.reason }
  }
  const isIdle =
    load.running / slots <= policy.scaleDownThreshold &&
    load.queued === 0 &&
    load.running < policy.scaleUpThreshold * (slots - tasksPerInstance)
  if (!isIdle) return hold(instances === 1 && load.running + load.queued === 0 ? 'at_minimum' : 'steady')
  if (instances === min) return hold('at_minimum')
  if (since < policy.downCooldownMs) return hold('cooldown')
  return { instances: instances - 1, reason: 'idle' }
}

/** What the load asks for beyond what is there; undefined: it asks for no more. */
function growthOf(
  policy: ScalingPolicy,
  { running, queued, responseP95Ms }: AgentLoad,
  { instances, tasksPerInstance }: ScalingState,
): { instances: number; reason: ScalingReason } | undefined {
  const slots = instances * tasksPerInstance
  const isBusy = running / slots >= policy.scaleUpThreshold
  const isQueued = queued / slots > policy.queuePerSlot
  const isSlow =
    running > 0 && policy.targetResponseMs !== null && (responseP95Ms ?? 0) > policy.targetResponseMs
  if (!isBusy && !isQueued && !isSlow) return undefined
  // Above the threshold and not at it: at it, it would grow again.
  const needed = isBusy || isQueued ? neededFor(policy, running + queued, tasksPerInstance) : 0
  const reason = isQueued ? 'queue' : isBusy ? 'utilisation' : 'response_time'
  return { instances: Math.max(instances + 1, needed), reason }
}

/** Instances at which so many tasks are below the upper threshold. */
const neededFor = ({ scaleUpThreshold }: ScalingPolicy, tasks: number, tasksPerInstance: number): number =>
  Math.floor(tasks / (scaleUpThreshold * tasksPerInstance)) + 1
