import { z } from 'zod'

/** How long a message is its reader's without an acknowledgement, in seconds: 1 s to an hour, 30 s unless said. */
export const leaseSeconds = z
  .int()
  .min(1, 'At least 1.')
  .max(3_600, 'At most 3,600, which is an hour.')
  .nullish()
  .transform((seconds) => seconds ?? 30)
