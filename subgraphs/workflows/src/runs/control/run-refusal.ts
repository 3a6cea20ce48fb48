/** A run with which an act was not done. */
export interface RunRefusal {
  runId: string
  code: 'NOT_FOUND' | 'INVALID_STATE' | 'INTERNAL'
  message: string
}

/** What is said of a run that is not in a state for it. */
export const refusalOf = (runId: string, status: string): RunRefusal => ({
  runId,
  code: 'INVALID_STATE',
  message: `The run is ${status}.`,
})
