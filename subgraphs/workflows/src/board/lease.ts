import { z } from 'zod'

/** How long a claim holds without being renewed, in seconds: 5 s to a day, a minute unless said. */
export const leaseSeconds = z
  .int()
  .min(5, 'At least 5.')
  .max(86_400, 'At most 86,400, which is a day.')
  .nullish()
  .transform((seconds) => seconds ?? 60)
