/** Throw it to say how a task failed. Everything else that is thrown is `HANDLER_FAILED`, and may be tried again. */
export class TaskFailure extends Error {
  override name = 'TaskFailure'
  /** Capitals, digits and underscores, as NO_MODEL. */
  readonly code: string
  /** Whether another attempt may help. */
  readonly retryable: boolean
  /** No sooner than this, in milliseconds from now. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: string,
    message: string,
    { retryable = false, retryAfterMs }: { retryable?: boolean; retryAfterMs?: number } = {},
  ) {
    super(message)
    this.code = code
    this.retryable = retryable
    this.retryAfterMs = retryAfterMs
  }
}
