import type { StepError } from './transition.ts'

/** Why the engine itself says that a step failed: stable code → what it means. Agents have codes of their own besides. */
export const STEP_ERRORS = {
  CONDITION_FAILED: 'The condition of an edge cannot be evaluated.',
  ENGINE_EVENT_IGNORED: 'The engine could do nothing with what happened to the step: a fault of its own.',
  EXPRESSION_FAILED: 'An input, a list, a value or the condition of a loop cannot be evaluated.',
  HEARTBEAT_TIMEOUT: 'Nothing was heard of an attempt for as long as its step allows.',
  INVALID_LIST: 'What a map goes over is not a list, or longer than its `maxItems`.',
  INVALID_TIME: 'What a wait waits until is not a time.',
  JOIN_UNMET: 'There are fewer branches or items than must arrive.',
  LOOP_EXHAUSTED: 'The turns of a loop were not enough.',
  OUTPUT_INVALID: 'A result, a payload or a name of the state does not fit its schema.',
  PLAN_OVER_BUDGET: 'The steps of a plan have cost what they may.',
  PLAN_REFUSED: 'The plan an agent answered with is not one, or goes beyond what its step permits.',
  REVIEW_EXPIRED: 'Nobody decided before the deadline.',
  REVIEW_UNASKABLE: 'The input of a review is more than a person can be asked about: 256 KiB, 64 levels.',
  STEP_TIMED_OUT: 'An attempt gave no result in its time.',
  SUBWORKFLOW_CANCELLED: 'The sub-workflow was cancelled.',
  SUBWORKFLOW_FAILED: 'The sub-workflow failed without saying why.',
  SUBWORKFLOW_TIMED_OUT: 'The sub-workflow did not end in time.',
  WAIT_EXPIRED: 'The signal, the event or a peer did not come in time.',
} as const

/** The code of a failure that the engine finds; see {@link STEP_ERRORS}. */
export type StepErrorCode = keyof typeof STEP_ERRORS

/** A failure that the engine finds. */
export function stepError(code: StepErrorCode, message: string = STEP_ERRORS[code]): StepError {
  return { code, message }
}
