import { CALL_HEADER, signCall } from '@tutti/runtime'
import { z } from 'zod'

import type { AuthorizeMutations } from './govern-mutations.ts'

/** Where governance says whether mutations may be done: a signed call, for us alone. */
export const AUTHORIZE_PATH = '/internal/authorize'

const answerSchema = z.object({
  answer: z.array(
    z.object({
      key: z.string(),
      code: z.enum(['FORBIDDEN', 'APPROVAL_REQUIRED', 'BAD_INPUT']),
      hint: z.string(),
      approvalId: z.string().nullable(),
    }),
  ),
})

/** Asks the governance process at `url`. Throws when it does not answer. */
export function authorizeMutationsOverHttp(url: string, secret: string): AuthorizeMutations {
  const address = new URL(AUTHORIZE_PATH, url)
  return async (actor, calls) => {
    const body = JSON.stringify({ actor, ...calls })
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [CALL_HEADER]: signCall(secret, null, body) },
      body,
      signal: AbortSignal.timeout(3_000),
    })
    if (!response.ok) throw new Error(`governance answered ${response.status}`)
    return answerSchema.parse(await response.json()).answer
  }
}
