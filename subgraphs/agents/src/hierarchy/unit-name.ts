import { z } from 'zod'

/** The name of a domain or a team. */
export const unitName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{C}]*$/u, 'It must not hold control characters.')
