import { z } from 'zod'
import { askInside } from '../hooks/receive-hook-over-http.ts'
import type { ReceiveScim } from './scim-route.ts'

/** Where governance takes requests of directories: a signed call, for us alone. */
const SCIM_PATH = '/internal/scim'

const answerSchema = z.object({
  answer: z.object({
    status: z.int(),
    headers: z.record(z.string(), z.string()),
    body: z.record(z.string(), z.unknown()).nullable(),
  }),
})

/** Asks the governance process at `url`. Throws when it does not answer. */
export function receiveScimOverHttp(url: string, secret: string): ReceiveScim {
  const ask = askInside(new URL(SCIM_PATH, url), secret)
  return async (call) => answerSchema.parse(await ask(call)).answer
}
