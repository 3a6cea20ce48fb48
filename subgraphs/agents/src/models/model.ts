/** What a model costs from a date on: US dollars a million tokens, as decimal texts. */
export interface ModelPrice {
  validFrom: Date
  inputUsd: string
  outputUsd: string
  /** Of input tokens that the provider had in its cache. */
  cachedUsd: string
}

/** Whether a model may be chosen: `known` ones are in the catalogue, and nobody in the organization took them into use. */
export type ModelStatus = 'known' | 'active' | 'disabled'

/** A language model as one organization sees it. */
export interface Model {
  /** `<provider>/<name>` */
  id: string
  provider: string
  /** What the provider calls it. */
  name: string
  capabilities: readonly string[]
  /** Tokens of a question and its answer together. */
  contextTokens: number
  maxOutputTokens: number
  requestsPerMinute: number | null
  tokensPerMinute: number | null
  /** 0 to 1 by kind of task, `default` for the others; a kind that is missing is unknown. */
  quality: Readonly<Record<string, number>>
  premium: boolean
  status: ModelStatus
  /** Whether the catalogue holds it. */
  builtIn: boolean
  /** Oldest first. */
  prices: readonly ModelPrice[]
}

/** The price that holds at a moment; null before the first one, and where none is known. */
export function priceAt({ prices }: Pick<Model, 'prices'>, at: Date): ModelPrice | null {
  return prices.findLast(({ validFrom }) => validFrom <= at) ?? null
}
