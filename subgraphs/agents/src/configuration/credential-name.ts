import { z } from 'zod'

/** The name of a credential, as configurations refer to it. */
export const credentialName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'Letters, digits and . _ - / only, a letter or digit first.')
