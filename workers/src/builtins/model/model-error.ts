/** What can go wrong with a language model, and whether trying again may help. */
export const MODEL_ERRORS = {
  MODEL_UNAUTHORIZED: {
    retryable: false,
    hint: 'Check the key of the provider: the model server refused it.',
  },
  MODEL_NOT_FOUND: {
    retryable: false,
    hint: 'Check the server of the provider and the model named in the agent configuration.',
  },
  MODEL_REFUSED_REQUEST: { retryable: false, hint: 'The model server does not accept this request.' },
  MODEL_QUOTA_EXHAUSTED: { retryable: false, hint: 'The account at the model server has no credit left.' },
  MODEL_NONE_USABLE: {
    retryable: false,
    hint: 'Every model is excluded: the query explainRouting says why.',
  },
  MODEL_NO_SERVER: {
    retryable: false,
    hint: 'Set a credential of its provider, or the server and key in the environment of the workers.',
  },
  MODEL_RATE_LIMITED: { retryable: true, hint: 'The model server asks to wait.' },
  MODEL_UNAVAILABLE: { retryable: true, hint: 'The model server failed; try again later.' },
  MODEL_UNREACHABLE: { retryable: true, hint: 'No connection to the model server.' },
  MODEL_TIMEOUT: { retryable: true, hint: 'The model did not answer in time.' },
  MODEL_BAD_OUTPUT: { retryable: true, hint: 'The model answered in another form than asked for.' },
  MODEL_CONTENT_FILTERED: { retryable: false, hint: 'The model server filtered the answer.' },
} as const satisfies Record<string, { retryable: boolean; hint: string }>

export type ModelErrorCode = keyof typeof MODEL_ERRORS

/** A failed call of a language model, classified. `retryAfterMs` is what the server asked for. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  readonly code: ModelErrorCode
  readonly retryable: boolean
  readonly hint: string
  readonly retryAfterMs: number | undefined

  constructor(
    code: ModelErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.retryable = MODEL_ERRORS[code].retryable
    this.hint = MODEL_ERRORS[code].hint
    this.retryAfterMs = options.retryAfterMs
  }
}
