import { CALL_HEADER, signCall } from '@tutti/runtime'
import { actorSchema } from '@tutti/schema'
import { z } from 'zod'

import type { Identify } from './authenticate.ts'

/** Where governance answers who somebody is: a signed call, for us alone. */
export const IDENTIFY_PATH = '/internal/identify'

const answerSchema = z.object({ answer: actorSchema.nullable() })

/** Asks the governance process at `url`. Throws when it does not answer. */
export function identifyOverHttp(url: string, secret: string): Identify {
  const address = new URL(IDENTIFY_PATH, url)
  return async (question) => {
    const body = JSON.stringify(question)
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
