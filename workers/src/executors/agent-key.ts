import type { TaskCall } from './executor.ts'

/** Under which people are asked about what a task does: a yes is for the agent that was to do it, and for no other. */
export const agentKey = (idempotencyKey: string, { id }: TaskCall['agent']): string =>
  `${idempotencyKey}/agent/${id}`
