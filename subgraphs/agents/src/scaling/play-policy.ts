import { type AgentLoad, decideScale, type ScalingReason } from './decide-scale.ts'
import type { ScalingPolicy } from './scaling-policy.ts'

/** Load at a moment; of recorded load with the slots there were. */
export interface LoadPoint extends AgentLoad {
  /** Milliseconds. */
  at: number
}

/** What was under way at a moment, and with what. */
export interface ScalingStep {
  at: number
  instances: number
  slots: number
  running: number
  queued: number
}

/** What a policy did at a moment. */
export interface PlayedDecision {
  at: number
  from: number
  to: number
  reason: ScalingReason
}

/** Steps, summed. Each lasts until the next, the last as long as the one before it. */
export interface ScalingTotals {
  instanceHours: number
  /** Seconds at or above the upper threshold, and at or below the lower one. */
  overSeconds: number
  underSeconds: number
  queueMax: number
  /** Over time. */
  queueAverage: number
}

/** Where a play begins. */
export interface PlayStart {
  instances: number
  tasksPerInstance: number
  othersOfType: number
}

/**
 * What a policy would have done with this load. What came at a moment is what ran, and how many more or fewer wait than
 * before; of that and of what was left so many run as there are slots, and the rest waits. So the slots that there were
 * give what there was.
 */
export function playPolicy(
  policy: ScalingPolicy,
  load: readonly LoadPoint[],
  { instances: first, tasksPerInstance, othersOfType }: PlayStart,
): { steps: ScalingStep[]; decisions: PlayedDecision[] } {
  const steps: ScalingStep[] = []
  const decisions: PlayedDecision[] = []
  let instances = first
  let scaledAt: number | null = null
  let left = 0
  let queuedBefore = 0
  for (const { at, running: ran, queued: waited, responseP95Ms } of load) {
    const slots = instances * tasksPerInstance
    const work = Math.max(0, left + ran + waited - queuedBefore)
    const running = Math.min(slots, work)
    left = work - running
    queuedBefore = waited
    steps.push({ at, instances, slots, running, queued: left })
    const state = { instances, tasksPerInstance, othersOfType, scaledAt }
    const decision = decideScale(policy, { running, queued: left, responseP95Ms }, state, at)
    if (decision.hold) continue
    decisions.push({ at, from: instances, to: decision.instances, reason: decision.reason })
    instances = decision.instances
    scaledAt = at
  }
  return { steps, decisions }
}

const HOUR_MS = 3_600_000
/** What a step lasts when there is only one. */
const MINUTE_MS = 60_000

/** Sums steps, by the thresholds of this policy. */
export function totalsOf(
  { scaleUpThreshold, scaleDownThreshold }: ScalingPolicy,
  steps: readonly ScalingStep[],
): ScalingTotals {
  const totals = { instanceHours: 0, overSeconds: 0, underSeconds: 0, queueMax: 0, queueAverage: 0 }
  let whole = 0
  let lasted = MINUTE_MS
  for (const [index, { at, instances, slots, running, queued }] of steps.entries()) {
    const next = steps[index + 1]
    if (next) lasted = next.at - at
    const used = running / slots
    whole += lasted
    totals.instanceHours += (instances * lasted) / HOUR_MS
    if (used >= scaleUpThreshold) totals.overSeconds += lasted / 1_000
    else if (used <= scaleDownThreshold) totals.underSeconds += lasted / 1_000
    totals.queueMax = Math.max(totals.queueMax, queued)
    totals.queueAverage += queued * lasted
  }
  return { ...totals, queueAverage: whole === 0 ? 0 : totals.queueAverage / whole }
}
