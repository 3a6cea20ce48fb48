import { z } from 'zod'

/** How long a worker's claim holds without a heartbeat, in seconds: 5 s to an hour, a minute unless said. */
export const leaseSeconds = z
  .int()
  .min(5, 'At least 5.')
  .max(3_600, 'At most 3,600, which is an hour.')
  .nullish()
  .transform((seconds) => seconds ?? 60)
