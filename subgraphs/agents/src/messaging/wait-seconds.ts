import { z } from 'zod'

/** How long a call waits for what may come, in seconds: not at all unless said. The gateway gives a call 10 s. */
export const waitSeconds = z
  .number()
  .min(0, 'At least 0.')
  .max(8, 'At most 8: ask again then.')
  .nullish()
  .transform((seconds) => seconds ?? 0)
