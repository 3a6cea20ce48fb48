/** Who can mend a failure. */
export type Mender = 'client' | 'operator' | 'platform'

export interface ErrorKind {
  /** HTTP status when the whole request fails with it. */
  status: number
  message: string
  mender: Mender
  retryable: boolean
}

/** Every code a client can meet, in one table; the documentation is tested against it. */
export const ERRORS = {
  UNAUTHENTICATED: {
    status: 401,
    message: 'A valid API key or token is needed.',
    mender: 'client',
    retryable: false,
  },
  FORBIDDEN: { status: 403, message: 'Your role does not allow this.', mender: 'client', retryable: false },
  NOT_FOUND: { status: 200, message: 'There is no such thing here.', mender: 'client', retryable: false },
  BAD_INPUT: { status: 200, message: 'An argument is not acceptable.', mender: 'client', retryable: false },
  INVALID_DOCUMENT: {
    status: 200,
    message: 'The document has mistakes; all of them are listed.',
    mender: 'client',
    retryable: false,
  },
  CONFLICT: {
    status: 200,
    message: 'It has changed meanwhile, or already exists differently.',
    mender: 'client',
    retryable: false,
  },
  INVALID_STATE: {
    status: 200,
    message: 'That is not possible in its present state.',
    mender: 'client',
    retryable: false,
  },
  CONTAINED: {
    status: 200,
    message: 'It was ordered to stop, and the order stands.',
    mender: 'operator',
    retryable: false,
  },
  BUDGET_EXCEEDED: {
    status: 200,
    message: 'A budget has no room for it.',
    mender: 'operator',
    retryable: false,
  },
  QUOTA_EXCEEDED: {
    status: 200,
    message: 'A quota has no room for it.',
    mender: 'operator',
    retryable: false,
  },
  INBOX_FULL: {
    status: 200,
    message: 'Too many messages wait in this inbox.',
    mender: 'client',
    retryable: true,
  },
  ALREADY_DECIDED: {
    status: 200,
    message: 'It has been decided already.',
    mender: 'client',
    retryable: false,
  },
  APPROVAL_REQUIRED: {
    status: 200,
    message: 'Somebody else has to say yes first.',
    mender: 'operator',
    retryable: false,
  },
  SEPARATION_OF_DUTIES: {
    status: 200,
    message: 'Whoever asked, wrote or decided it already cannot decide.',
    mender: 'client',
    retryable: false,
  },
  NOT_A_DECIDER: {
    status: 200,
    message: 'Its stage asks others to decide.',
    mender: 'client',
    retryable: false,
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 200,
    message: 'This idempotency key was used with other arguments.',
    mender: 'client',
    retryable: false,
  },
  CURSOR_EXPIRED: {
    status: 200,
    message: 'The cursor is older than what is kept; start anew.',
    mender: 'client',
    retryable: false,
  },
  CURSOR_INVALID: {
    status: 200,
    message: 'That is not a cursor of ours.',
    mender: 'client',
    retryable: false,
  },
  QUERY_TOO_LARGE: {
    status: 400,
    message: 'The operation exceeds a limit.',
    mender: 'client',
    retryable: false,
  },
  RATE_LIMITED: {
    status: 429,
    message: 'Too many requests; wait a moment.',
    mender: 'client',
    retryable: true,
  },
  TIMEOUT: { status: 504, message: 'It took too long.', mender: 'platform', retryable: true },
  UNAVAILABLE: {
    status: 503,
    message: 'A part of the platform is not reachable.',
    mender: 'operator',
    retryable: true,
  },
  STALE_LEASE: {
    status: 200,
    message: 'The task was taken over meanwhile; stop working on it.',
    mender: 'client',
    retryable: false,
  },
  TOOL_CHANGED: {
    status: 200,
    message: 'The tool is not what was approved; it has to be approved again.',
    mender: 'client',
    retryable: false,
  },
  INTERNAL: { status: 500, message: 'Something failed on our side.', mender: 'platform', retryable: true },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERRORS
