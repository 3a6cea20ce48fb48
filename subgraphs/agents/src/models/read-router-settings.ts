import { fail, type Problem } from '@tutti/schema'
import { z } from 'zod'
import { cacheLevel } from '../configuration/configuration-schema.ts'
import { findUnsafeValues } from '../configuration/find-unsafe-values.ts'
import { readYaml } from '../configuration/read-yaml.ts'
import { DEFAULT_ROUTER_SETTINGS as DEFAULTS, type RouterSettings } from './router-settings.ts'

const amount = z.number().min(0).max(1_000_000)
const share = z.number().min(0).max(1)
const text = z.string().min(1).max(200)

const weights = z
  .strictObject({
    quality: amount.default(DEFAULTS.weights.quality),
    speed: amount.default(DEFAULTS.weights.speed),
    cost: amount.default(DEFAULTS.weights.cost),
    reliability: amount.default(DEFAULTS.weights.reliability),
  })
  .refine((each) => Object.values(each).some((weight) => weight > 0), 'One of them must be more than 0.')

const routing = z.strictObject({
  model_routing_enabled: z.boolean().optional(),
  time_window_minutes: z.literal(15, 'Measurements are of the last 15 minutes.').optional(),
  weights: weights.optional(),
  quality_requirements: z
    .strictObject({
      min_quality: share.optional(),
      max_latency: amount.optional(),
      max_cost: amount.optional(),
    })
    .optional(),
  bonuses: z
    .strictObject({
      high_priority: share.optional(),
      premium_models: share.optional(),
      preferred_provider: share.optional(),
      fallback_provider: share.optional(),
    })
    .optional(),
  premium_models: z.array(text).max(1_000).optional(),
  preferred_ai_provider: text.optional(),
  fallback_ai_provider: text.optional(),
  allowed_providers: z.array(text).min(1).max(100).optional(),
  new_model: z.number().min(0.01).max(1).optional(),
  rate_limit_scope: z.enum(['model', 'provider']).optional(),
  unhealthy_threshold: z.int().min(1).max(1_000).optional(),
  unhealthy_seconds: z.int().min(1).max(900).optional(),
  response_cache: cacheLevel.optional(),
})

/** The specification's documents as they stand: of what they hold besides, the settings' own room takes care. */
const whole = z.looseObject({
  orchestrator_config: z
    .looseObject({
      cost_optimization: z.looseObject({ model_routing_enabled: z.boolean().optional() }).optional(),
    })
    .optional(),
  organization_orchestration: z
    .looseObject({
      quality_requirements: z.looseObject({ minimum_quality_score: share.optional() }).optional(),
      integration_preferences: z
        .looseObject({ preferred_ai_provider: text.optional(), fallback_ai_provider: text.optional() })
        .optional(),
    })
    .optional(),
  model_routing: routing.optional(),
})
const WHOLE = Object.keys(whole.shape)

/**
 * Reads a document of how models are chosen, YAML or JSON: `model_routing` or what it holds, and the specification's
 * `orchestrator_config` and `organization_orchestration`. What it does not say is as by default. INVALID_DOCUMENT lists
 * every mistake with its line.
 */
export function readRouterSettings(document: string): RouterSettings {
  const read = readYaml(document)
  if ('problems' in read) return refuse(read.problems)
  const unsafe = findUnsafeValues(read.value)
  if (unsafe.length > 0)
    return refuse(
      unsafe.map(({ at, ofKey, ...rest }) => ({ ...rest, path: at.join('.'), ...read.locate(at, ofKey) })),
    )
  const keys = typeof read.value === 'object' && read.value !== null ? Object.keys(read.value) : []
  const isWhole = keys.some((key) => WHOLE.includes(key))
  const stray = isWhole ? keys.filter((key) => !WHOLE.includes(key) && key !== 'scaling_strategy') : []
  const parsed = isWhole ? whole.safeParse(read.value) : whole.safeParse({ model_routing: read.value })
  const problems = [
    ...stray.map((key) => ({
      code: 'unknown_key',
      path: key.slice(0, 100),
      message: `The key "${key.slice(0, 100)}" is not known beside ${WHOLE.join(', ')}.`,
      ...read.locate([key], true),
    })),
    ...(parsed.error?.issues ?? []).map(({ code, message, path }) => {
      const at = isWhole ? path : path.slice(1)
      return { code, path: at.join('.'), message, ...read.locate(at) }
    }),
  ]
  if (!parsed.success || problems.length > 0) return refuse(problems)
  return settingsOf(parsed.data)
}

function settingsOf(document: z.output<typeof whole>): RouterSettings {
  const said = document.model_routing
  const preferences = document.organization_orchestration?.integration_preferences
  const { requirements, bonuses } = DEFAULTS
  return {
    enabled:
      said?.model_routing_enabled ??
      document.orchestrator_config?.cost_optimization?.model_routing_enabled ??
      DEFAULTS.enabled,
    weights: said?.weights ?? DEFAULTS.weights,
    requirements: {
      minQuality:
        said?.quality_requirements?.min_quality ??
        document.organization_orchestration?.quality_requirements?.minimum_quality_score ??
        requirements.minQuality,
      maxLatency: said?.quality_requirements?.max_latency ?? requirements.maxLatency,
      maxCost: said?.quality_requirements?.max_cost ?? requirements.maxCost,
    },
    bonuses: {
      highPriority: said?.bonuses?.high_priority ?? bonuses.highPriority,
      premium: said?.bonuses?.premium_models ?? bonuses.premium,
      preferredProvider: said?.bonuses?.preferred_provider ?? bonuses.preferredProvider,
      fallbackProvider: said?.bonuses?.fallback_provider ?? bonuses.fallbackProvider,
    },
    premiumModels: said?.premium_models ?? DEFAULTS.premiumModels,
    preferredProvider: said?.preferred_ai_provider ?? preferences?.preferred_ai_provider ?? null,
    fallbackProvider: said?.fallback_ai_provider ?? preferences?.fallback_ai_provider ?? null,
    allowedProviders: said?.allowed_providers ?? null,
    newModel: said?.new_model ?? DEFAULTS.newModel,
    rateLimitScope: said?.rate_limit_scope ?? DEFAULTS.rateLimitScope,
    unhealthyThreshold: said?.unhealthy_threshold ?? DEFAULTS.unhealthyThreshold,
    unhealthySeconds: said?.unhealthy_seconds ?? DEFAULTS.unhealthySeconds,
    responseCache: said?.response_cache ?? DEFAULTS.responseCache,
  }
}

function refuse(problems: readonly Problem[]): never {
  fail('INVALID_DOCUMENT', { path: 'input.document', problems: problems.slice(0, 100) })
}
