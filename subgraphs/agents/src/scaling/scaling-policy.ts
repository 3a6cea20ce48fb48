import { z } from 'zod'
import { MOST_INSTANCES } from '../lifecycle/most-instances.ts'

/** When an agent gets more or fewer instances. Shares are of its slots; times are in milliseconds. */
export interface ScalingPolicy {
  enabled: boolean
  /** From this utilisation on it grows; at this one or below it shrinks. */
  scaleUpThreshold: number
  scaleDownThreshold: number
  /** Instances of the agent itself. */
  minInstances: number
  maxInstances: number
  /** Instances of all agents of its type together. */
  minPerType: number
  maxPerType: number
  /** It grows when more tasks than this wait for each of its slots. */
  queuePerSlot: number
  /** It grows by one when the 95th percentile of its attempts is above it; null: how long they take does not matter. */
  targetResponseMs: number | null
  /** After any change of its instances it does not grow, or shrink, for so long. */
  upCooldownMs: number
  downCooldownMs: number
}

export const DEFAULT_POLICY: ScalingPolicy = {
  enabled: false,
  scaleUpThreshold: 0.8,
  scaleDownThreshold: 0.3,
  minInstances: 1,
  maxInstances: MOST_INSTANCES,
  minPerType: 1,
  maxPerType: MOST_INSTANCES,
  queuePerSlot: 1,
  targetResponseMs: null,
  upCooldownMs: 30_000,
  downCooldownMs: 300_000,
}

/** What is stored of an agent: what is said of it alone. */
export const storedPolicy = z
  .object({
    enabled: z.boolean(),
    scaleUpThreshold: z.number(),
    scaleDownThreshold: z.number(),
    minInstances: z.int(),
    maxInstances: z.int(),
    queuePerSlot: z.number(),
    targetResponseMs: z.number(),
    upCooldownMs: z.number(),
    downCooldownMs: z.number(),
  })
  .partial()
export type StoredPolicy = z.output<typeof storedPolicy>

const settings = z
  .object({
    auto_scaling_enabled: z.boolean(),
    scale_up_threshold: z.number(),
    scale_down_threshold: z.number(),
    min_agents_per_type: z.number(),
    max_agents_per_type: z.number(),
  })
  .partial()

/** SQL: `resource_management` of the settings in force of the organization of `alias`; null without settings. */
export const resourceManagementOf = (alias: string): string =>
  `(select e.in_force->'orchestrator_config'->'resource_management' from engine_settings e
    where e.organization_id = ${alias}.organization_id order by e.version desc limit 1)`

/** What is said of the agent, over the organization's `resource_management`, over the defaults. */
export function policyOf(resourceManagement: unknown, ofAgent: unknown): ScalingPolicy {
  const all = settings.parse(resourceManagement ?? {})
  const own = storedPolicy.parse(ofAgent ?? {})
  const by = DEFAULT_POLICY
  return {
    enabled: own.enabled ?? all.auto_scaling_enabled ?? by.enabled,
    scaleUpThreshold: own.scaleUpThreshold ?? all.scale_up_threshold ?? by.scaleUpThreshold,
    scaleDownThreshold: own.scaleDownThreshold ?? all.scale_down_threshold ?? by.scaleDownThreshold,
    minInstances: own.minInstances ?? by.minInstances,
    maxInstances: own.maxInstances ?? by.maxInstances,
    minPerType: all.min_agents_per_type ?? by.minPerType,
    maxPerType: all.max_agents_per_type ?? by.maxPerType,
    queuePerSlot: own.queuePerSlot ?? by.queuePerSlot,
    targetResponseMs: own.targetResponseMs ?? by.targetResponseMs,
    upCooldownMs: own.upCooldownMs ?? by.upCooldownMs,
    downCooldownMs: own.downCooldownMs ?? by.downCooldownMs,
  }
}
