import { CALL_HEADER, signCall } from '@tutti/runtime'
import { z } from 'zod'

import type { ReceiveHook } from './hook-route.ts'

/** Where the workflows subgraph takes calls of hooks: a signed call, for us alone. */
export const WEBHOOK_PATH = '/internal/webhook'
/** Likewise for answers that come later. */
export const CALLBACK_PATH = '/internal/callback'

const answerSchema = z.object({
  answer: z.object({
    status: z.int(),
    body: z.record(z.string(), z.unknown()),
    retryAfter: z.int().optional(),
  }),
})

/** Asks the workflows process at `url`. Throws when it does not answer. */
export function receiveHookOverHttp(url: string, secret: string, path = WEBHOOK_PATH): ReceiveHook {
  const address = new URL(path, url)
  return async (call) => {
    const body = JSON.stringify(call)
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [CALL_HEADER]: signCall(secret, null, body) },
      body,
      signal: AbortSignal.timeout(10_000),
    })
    if (!response.ok) throw new Error(`workflows answered ${response.status}`)
    return answerSchema.parse(await response.json()).answer
  }
}
