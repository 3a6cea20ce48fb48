import { z } from 'zod'

/** Every queue and what its jobs carry. A job says that a lane has work, never which. */
export const JOBS = {
  /** Wake the workers of a lane: they claim from PostgreSQL. */
  lane: z.object({ lane: z.string().regex(/^[a-z][a-z0-9-]*$/) }),
} as const

/** The lane on which tasks of runs wait. */
export const TASK_LANE = 'tasks'
/** The lane on which consumers of the event log wait. */
export const EVENT_LANE = 'events'
