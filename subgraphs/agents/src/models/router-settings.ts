import type { CacheReach } from '../response-cache/kept-response.ts'

/** What criteria weigh, by the specification's names. Only their proportions count. */
export interface Weights {
  quality: number
  speed: number
  cost: number
  reliability: number
}

/** How a model is chosen. Defaults are the specification's where it has the number. */
export interface RouterSettings {
  /** Off: an agent's own models are used in their order. */
  enabled: boolean
  weights: Weights
  requirements: {
    /** 0 to 1. */
    minQuality: number
    /** Seconds. */
    maxLatency: number
    /** US dollars a call. */
    maxCost: number
  }
  bonuses: {
    /** Times the mean of quality and speed, for work of high priority. */
    highPriority: number
    /** For premium models, in organizations of tier `enterprise`. */
    premium: number
    preferredProvider: number
    fallbackProvider: number
  }
  /** Ids or names; with those that the registry calls premium. */
  premiumModels: readonly string[]
  preferredProvider: string | null
  fallbackProvider: string | null
  /** Null: all. */
  allowedProviders: readonly string[] | null
  /** What a criterion counts that was not measured yet, 0 to 1. */
  newModel: number
  /** Whom a 429 puts out of use until the time it names. */
  rateLimitScope: 'model' | 'provider'
  /** After so many failures on end a model is left alone ... */
  unhealthyThreshold: number
  /** ... for so many seconds since the last of them. */
  unhealthySeconds: number
  /** How far answers may be kept, to be given again. */
  responseCache: CacheReach
}

export const DEFAULT_ROUTER_SETTINGS: RouterSettings = {
  enabled: true,
  weights: { quality: 0.4, speed: 0.25, cost: 0.25, reliability: 0.1 },
  requirements: { minQuality: 0.75, maxLatency: 5, maxCost: 0.01 },
  bonuses: { highPriority: 0.1, premium: 0.05, preferredProvider: 0.05, fallbackProvider: 0.02 },
  premiumModels: [],
  preferredProvider: null,
  fallbackProvider: null,
  allowedProviders: null,
  newModel: 0.8,
  rateLimitScope: 'model',
  unhealthyThreshold: 3,
  unhealthySeconds: 30,
  responseCache: 'database',
}
