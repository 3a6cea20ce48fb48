import type { Model, ModelPrice } from './model.ts'
import type { RouterSettings, Weights } from './router-settings.ts'

/** What is asked of a model. */
export interface RoutingRequest {
  /** Milliseconds since 1970. */
  now: number
  /** Kind of task, under which the registry keeps a quality. */
  taskType: string
  capabilities: readonly string[]
  inputTokens: number
  outputTokens: number
  /** US dollars that the call may cost by its estimate; null: any. */
  budgetUsd: number | null
  /** Only these; null: any that the settings allow. */
  providers: readonly string[] | null
  priority: 'normal' | 'high'
  /** The organization's. */
  tier: string
}

/** A model that may be chosen, with the price of the moment. */
export interface Candidate extends Omit<Model, 'prices'> {
  /** Null where none is known: it costs nothing then. */
  price: ModelPrice | null
}

/** What is known of a model's last 15 minutes, and of its last minute where that is said. */
export interface Measurement {
  calls: number
  failures: number
  /** Failures since the last success. */
  failuresOnEnd: number
  /** Milliseconds since 1970; null when there was none. */
  lastFailureAt: number | null
  /** Milliseconds, mean over what was answered; null when nothing was. */
  latencyMs: number | null
  judged: number
  /** Mean, 0 to 1; null when nothing was judged. */
  quality: number | null
  requestsInMinute: number
  tokensInMinute: number
  /** Until when the provider asked to wait, in milliseconds since 1970. */
  outUntil: number | null
}

/** What a model that was never called has. */
export const UNMEASURED: Measurement = {
  calls: 0,
  failures: 0,
  failuresOnEnd: 0,
  lastFailureAt: null,
  latencyMs: null,
  judged: 0,
  quality: null,
  requestsInMinute: 0,
  tokensInMinute: 0,
  outUntil: null,
}

export type Exclusion =
  | 'not_in_use'
  | 'disabled'
  | 'provider_not_allowed'
  | 'lacks_capability'
  | 'context_too_small'
  | 'over_budget'
  | 'rate_limited'
  | 'requests_used_up'
  | 'tokens_used_up'
  | 'unhealthy'

/** A candidate that was not excluded, and why it stands where it does. */
export interface Ranked {
  id: string
  /** The sum of points and bonuses; 1 is all that weights give. */
  score: number
  /** What each criterion gave: its weight times its ratio. */
  points: Weights
  bonuses: { name: string; points: number }[]
  /** The values that points were given for: 0 to 1, seconds, US dollars, 0 to 1. */
  values: Weights
}

/** Why one was left out; `until` (milliseconds since 1970) where time alone mends it. */
export interface Excluded {
  id: string
  reasons: { code: Exclusion; message: string; until: number | null }[]
}

export interface Routing {
  /** The first of the chain; null when all are excluded. */
  chosen: string | null
  /** Its score, at most 1; 0 without one. */
  confidence: number
  /** Best first. */
  ranking: Ranked[]
  excluded: Excluded[]
  /** Whom to call, and whom when that fails: each once. */
  chain: string[]
}

const MINUTE_MS = 60_000
/** How many calls a registered quality stands for beside judged ones. */
const REGISTERED_WORTH = 5
/** A model begins with so many successes: one failure is no verdict. */
const CREDIT = 2

/**
 * Chooses a model. Pure: the same arguments have the same answer. A score depends on its candidate alone, so that others
 * change places but never points. Scoring is the specification's: ratios of what is asked to what is measured, capped at
 * 1, by weight, and bonuses on top; among equals the better quality, cost, speed, reliability, then the id.
 */
export function route(
  request: RoutingRequest,
  candidates: readonly Candidate[],
  measurements: ReadonlyMap<string, Measurement>,
  settings: RouterSettings,
): Routing {
  const outUntil = new Map<string, number>()
  if (settings.rateLimitScope === 'provider') {
    for (const { id, provider } of candidates)
      outUntil.set(provider, Math.max(outUntil.get(provider) ?? 0, measurements.get(id)?.outUntil ?? 0))
  }
  const ranking: Ranked[] = []
  const excluded: Excluded[] = []
  const seen = new Set<string>()
  for (const candidate of candidates) {
    if (seen.has(candidate.id)) continue
    seen.add(candidate.id)
    const measured = measurements.get(candidate.id) ?? UNMEASURED
    const until = Math.max(measured.outUntil ?? 0, outUntil.get(candidate.provider) ?? 0)
    const reasons = exclusionsOf(request, candidate, { ...measured, outUntil: until }, settings)
    if (reasons.length > 0) excluded.push({ id: candidate.id, reasons })
    else ranking.push(scoreOf(request, candidate, measured, settings))
  }
  ranking.sort(compare)
  const chain = ranking.map(({ id }) => id)
  return {
    chosen: chain[0] ?? null,
    confidence: Math.min(1, ranking[0]?.score ?? 0),
    ranking,
    excluded: excluded.sort((left, right) => (left.id < right.id ? -1 : 1)),
    chain,
  }
}

/** What a call is estimated to cost, US dollars. For comparing: what is summed is computed exactly. */
function estimateOf({ inputTokens, outputTokens }: RoutingRequest, { price }: Candidate): number {
  if (!price) return 0
  return (inputTokens * Number(price.inputUsd) + outputTokens * Number(price.outputUsd)) / 1_000_000
}

function exclusionsOf(
  request: RoutingRequest,
  candidate: Candidate,
  measured: Measurement,
  settings: RouterSettings,
): Excluded['reasons'] {
  const reasons: Excluded['reasons'] = []
  const out = (code: Exclusion, message: string, until: number | null = null): void =>
    void reasons.push({ code, message, until })
  const { provider, requestsPerMinute, tokensPerMinute } = candidate
  const { now } = request
  if (candidate.status === 'known')
    out('not_in_use', 'The organization has not taken it into use: setModel does.')
  if (candidate.status === 'disabled') out('disabled', 'The organization has disabled it.')
  for (const allowed of [settings.allowedProviders, request.providers])
    if (allowed && !allowed.includes(provider)) {
      out('provider_not_allowed', `The provider ${provider} is not among those allowed.`)
      break
    }
  const lacking = request.capabilities.filter((each) => !candidate.capabilities.includes(each))
  if (lacking.length > 0) out('lacks_capability', `It lacks ${lacking.join(', ')}.`)
  const tokens = request.inputTokens + request.outputTokens
  if (tokens > candidate.contextTokens)
    out('context_too_small', `${tokens} tokens do not fit into its ${candidate.contextTokens}.`)
  else if (request.outputTokens > candidate.maxOutputTokens)
    out('context_too_small', `It answers with at most ${candidate.maxOutputTokens} tokens.`)
  const cost = estimateOf(request, candidate)
  if (request.budgetUsd !== null && cost > request.budgetUsd)
    out('over_budget', `It would cost ${cost} USD, and ${request.budgetUsd} may be spent.`)
  if (measured.outUntil !== null && measured.outUntil > now)
    out('rate_limited', 'Its provider has asked to wait.', measured.outUntil)
  // The window slides: a part of it is over at the latest in a minute.
  if (requestsPerMinute !== null && measured.requestsInMinute + 1 > requestsPerMinute)
    out('requests_used_up', `Its ${requestsPerMinute} requests a minute are used up.`, now + MINUTE_MS)
  if (tokensPerMinute !== null && measured.tokensInMinute + tokens > tokensPerMinute)
    out('tokens_used_up', `Its ${tokensPerMinute} tokens a minute are used up.`, now + MINUTE_MS)
  const rested = (measured.lastFailureAt ?? 0) + settings.unhealthySeconds * 1000
  if (measured.failuresOnEnd >= settings.unhealthyThreshold && rested > now)
    out('unhealthy', `Its last ${measured.failuresOnEnd} calls have failed.`, rested)
  return reasons
}

/** `wanted` to `had`, at most 1; 1 for what is free or instant. */
const ratio = (wanted: number, had: number): number => (had <= 0 ? 1 : Math.min(wanted / had, 1))

function scoreOf(
  request: RoutingRequest,
  candidate: Candidate,
  measured: Measurement,
  { weights, requirements, bonuses: worth, newModel, ...settings }: RouterSettings,
): Ranked {
  const { minQuality, maxLatency, maxCost } = requirements
  const values: Weights = {
    quality: qualityOf(request, candidate, measured) ?? newModel * minQuality,
    speed: measured.latencyMs === null ? maxLatency / newModel : measured.latencyMs / 1000,
    cost: estimateOf(request, candidate),
    reliability: (measured.calls - measured.failures + CREDIT) / (measured.calls + CREDIT),
  }
  const ratios: Weights = {
    quality: ratio(values.quality, minQuality),
    speed: ratio(maxLatency, values.speed),
    cost: ratio(maxCost, values.cost),
    reliability: values.reliability,
  }
  const sum = weights.quality + weights.speed + weights.cost + weights.reliability
  const points: Weights = {
    quality: (weights.quality / sum) * ratios.quality,
    speed: (weights.speed / sum) * ratios.speed,
    cost: (weights.cost / sum) * ratios.cost,
    reliability: (weights.reliability / sum) * ratios.reliability,
  }
  const bonuses: Ranked['bonuses'] = []
  const bonus = (name: string, given: number): void => {
    if (given > 0) bonuses.push({ name, points: given })
  }
  const { premiumModels, preferredProvider, fallbackProvider } = settings
  if (request.priority === 'high')
    bonus('high_priority', (worth.highPriority * (ratios.quality + ratios.speed)) / 2)
  const premium =
    candidate.premium || premiumModels.includes(candidate.id) || premiumModels.includes(candidate.name)
  if (request.tier === 'enterprise' && premium) bonus('premium', worth.premium)
  if (candidate.provider === preferredProvider) bonus('preferred_provider', worth.preferredProvider)
  else if (candidate.provider === fallbackProvider) bonus('fallback_provider', worth.fallbackProvider)
  const score =
    points.quality +
    points.speed +
    points.cost +
    points.reliability +
    bonuses.reduce((total, each) => total + each.points, 0)
  return { id: candidate.id, score, points, bonuses, values }
}

/** What is registered and what was judged, by their numbers; undefined when there is neither. */
function qualityOf(
  { taskType }: RoutingRequest,
  candidate: Candidate,
  { judged, quality }: Measurement,
): number | undefined {
  const registered = candidate.quality[taskType] ?? candidate.quality['default']
  if (quality === null) return registered
  if (registered === undefined) return quality
  return (registered * REGISTERED_WORTH + quality * judged) / (REGISTERED_WORTH + judged)
}

function compare(left: Ranked, right: Ranked): number {
  return (
    right.score - left.score ||
    right.values.quality - left.values.quality ||
    left.values.cost - right.values.cost ||
    left.values.speed - right.values.speed ||
    right.values.reliability - left.values.reliability ||
    (left.id < right.id ? -1 : 1)
  )
}
