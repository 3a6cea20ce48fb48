import { fail, type Problem } from '@tutti/schema'
import { z } from 'zod'
import { MOST_INSTANCES } from '../lifecycle/most-instances.ts'
import type { ScalingPolicy, StoredPolicy } from './scaling-policy.ts'

const DAY_SECONDS = 86_400
const instances = z
  .int()
  .min(1, `From 1 to ${MOST_INSTANCES}.`)
  .max(MOST_INSTANCES, `From 1 to ${MOST_INSTANCES}.`)
  .nullish()
const share = (what: z.ZodNumber) => what.max(1, 'A share, from 0 to 1.').nullish()
const seconds = z.number().min(0).max(DAY_SECONDS).nullish()

/** A policy as an argument: what is null is as the settings say, what is not there stays. */
export const policyInput = z.object({
  enabled: z.boolean().nullish(),
  scaleUpThreshold: share(z.number().min(0.01, 'From 0.01 to 1.')),
  scaleDownThreshold: share(z.number().min(0, 'A share, from 0 to 1.')),
  minInstances: instances,
  maxInstances: instances,
  queuePerSlot: z.number().min(0).max(1_000_000).nullish(),
  targetResponseSeconds: z.number().min(0.001).max(DAY_SECONDS).nullish(),
  upCooldownSeconds: seconds,
  downCooldownSeconds: seconds,
})

/** What is stored, with what was said now; null takes away what was said before. */
export function withInput(before: StoredPolicy, input: z.output<typeof policyInput>): StoredPolicy {
  const { targetResponseSeconds, upCooldownSeconds, downCooldownSeconds, ...same } = input
  const inMs = (value: number | null | undefined) => (value == null ? value : Math.round(value * 1_000))
  const said = {
    ...same,
    targetResponseMs: inMs(targetResponseSeconds),
    upCooldownMs: inMs(upCooldownSeconds),
    downCooldownMs: inMs(downCooldownSeconds),
  }
  const merged: Record<string, unknown> = { ...before }
  for (const [key, value] of Object.entries(said)) if (value !== undefined) merged[key] = value
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null))
}

/** BAD_INPUT, with every mistake, where a policy's bounds or thresholds are the wrong way round. */
export function requireOrder(policy: ScalingPolicy): void {
  const problems: Problem[] = []
  if (policy.scaleDownThreshold >= policy.scaleUpThreshold)
    problems.push({
      code: 'out_of_range',
      path: 'input.policy.scaleDownThreshold',
      message: `${policy.scaleDownThreshold} is not below the upper threshold, ${policy.scaleUpThreshold}.`,
    })
  if (policy.minInstances > policy.maxInstances)
    problems.push({
      code: 'out_of_range',
      path: 'input.policy.minInstances',
      message: `${policy.minInstances} is more than the most, ${policy.maxInstances}.`,
    })
  const [first] = problems
  if (first) fail('BAD_INPUT', { path: first.path, message: first.message, problems })
}
