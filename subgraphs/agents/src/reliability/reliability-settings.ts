import { FAILURE_KINDS, type FailureKind, RECOVERY_ACTIONS, type RecoveryAction } from '@tutti/schema'
import { z } from 'zod'
import { storedBreaker } from '../breaker/breaker-settings.ts'
import { type BreakerSettings, DEFAULT_BREAKER } from '../breaker/breaker-state.ts'

/** How an agent is looked after: looked at, not called while it is broken, and what is done when it fails. */
export interface Reliability {
  breaker: BreakerSettings
  health: HealthSettings
  /** By kind of failure; what is not there is as by default. */
  recovery: Partial<Record<FailureKind, RecoveryAction[]>>
  /** What stands for the agent's answer when it is left out; undefined: nothing does. */
  fallbackAnswer?: unknown
}

/** What is done about one kind of failure. */
export interface RecoveryRule {
  kind: FailureKind
  actions: readonly RecoveryAction[]
}

export interface HealthSettings {
  /** Where an HTTP agent is looked at, on its own host; its URL's /health unless given. */
  path: string | null
  intervalMs: number
  timeoutMs: number
  /** Checks in a row that make it unhealthy, and healthy again. */
  unhealthyAfter: number
  healthyAfter: number
  /** The input of a task that it is given to see whether it works; null: it is only asked whether it is there. */
  syntheticInput: Record<string, unknown> | null
}

export const DEFAULT_HEALTH: HealthSettings = {
  path: null,
  intervalMs: 60_000,
  timeoutMs: 5_000,
  unhealthyAfter: 3,
  healthyAfter: 2,
  syntheticInput: null,
}

const ms = z.int().min(1).max(86_400_000)
const count = z.int().min(1).max(1_000)

/** What is stored: the parts that were said, each by itself. */
export const storedReliability = z.object({
  breaker: storedBreaker.optional(),
  health: z
    .object({
      path: z.string().nullable(),
      intervalMs: ms,
      timeoutMs: ms,
      unhealthyAfter: count,
      healthyAfter: count,
      syntheticInput: z.record(z.string(), z.unknown()).nullable(),
    })
    .partial()
    .optional(),
  recovery: z.partialRecord(z.enum(FAILURE_KINDS), z.array(z.enum(RECOVERY_ACTIONS))).optional(),
  fallbackAnswer: z.unknown().optional(),
})
export type StoredReliability = z.output<typeof storedReliability>

/** SQL: what is said of the row's agent, over what the organization says of all, over the settings' check interval. */
export const RELIABILITY_OF_AGENT = `coalesce((select jsonb_build_object('health', jsonb_build_object('intervalMs',
      (e.in_force->'orchestrator_config'->'monitoring'->>'health_check_interval_seconds')::float8 * 1000))
    from engine_settings e where e.organization_id = agent.organization_id
      and e.in_force->'orchestrator_config'->'monitoring' ? 'health_check_interval_seconds' order by e.version desc limit 1), '{}')
  || coalesce((select r.settings from reliability_settings r where r.organization_id = agent.organization_id
    and r.id = agent.organization_id), '{}')
  || coalesce((select r.settings from reliability_settings r where r.organization_id = agent.organization_id
    and r.id = agent.id), '{}')`

/** With the defaults for what is not said. */
export function readReliability(stored: unknown): Reliability {
  const { breaker, health, recovery = {}, fallbackAnswer } = storedReliability.parse(stored ?? {})
  return {
    breaker: { ...DEFAULT_BREAKER, ...breaker },
    health: { ...DEFAULT_HEALTH, ...health },
    recovery,
    ...(fallbackAnswer === undefined ? {} : { fallbackAnswer }),
  }
}
