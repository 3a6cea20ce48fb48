import { type ErrorCode, ERRORS } from '@tutti/schema'

/** A run with which an act was not done. */
export interface RunRefusal {
  runId: string
  code: ErrorCode
  message: string
}

/** What is said of a run that is not in a state for it. */
export const refusalOf = (runId: string, status: string): RunRefusal => ({
  runId,
  code: 'INVALID_STATE',
  message: `The run is ${status}.`,
})

/** What is said of a run that could not be dealt with at all. */
export const failureOf = (runId: string): RunRefusal => ({
  runId,
  code: 'INTERNAL',
  message: ERRORS.INTERNAL.message,
})
