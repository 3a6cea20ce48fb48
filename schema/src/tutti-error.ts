import { ERRORS, type ErrorCode } from './errors.ts'

/** One mistake among several, as in a document: where it is and what to do. */
export interface Problem {
  code: string
  message: string
  path?: string
  line?: number
  column?: number
  hint?: string
}

export interface ErrorDetails {
  message?: string
  /** Path of the argument, e.g. `input.workflowId`. */
  path?: string
  hint?: string
  problems?: readonly Problem[]
  cause?: unknown
}

/** An error with a stable code that may be shown to the client as it is. */
export class TuttiError extends Error {
  readonly code: ErrorCode
  readonly path: string | undefined
  readonly hint: string | undefined
  readonly problems: readonly Problem[]

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    super(details.message ?? ERRORS[code].message, { cause: details.cause })
    this.name = 'TuttiError'
    this.code = code
    this.path = details.path
    this.hint = details.hint
    this.problems = details.problems ?? []
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable
  }

  /** What GraphQL puts under `extensions`. */
  get extensions(): Record<string, unknown> {
    return {
      code: this.code,
      retryable: this.retryable,
      ...(this.path === undefined ? {} : { argument: this.path }),
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.problems.length === 0 ? {} : { problems: this.problems }),
    }
  }
}

/** Throws a {@link TuttiError}; reads as a statement at the place of the rule. */
export function fail(code: ErrorCode, details: ErrorDetails = {}): never {
  throw new TuttiError(code, details)
}
