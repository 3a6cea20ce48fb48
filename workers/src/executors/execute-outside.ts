import type { Executor } from './executor.ts'

/** A worker outside does the task, when it claims it: nothing is held meanwhile. */
export const executeOutside: Executor = async () => ({ type: 'waiting', approvalId: null })
