import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import { judgeMessage } from './judge-message.ts'
import { serve, type ServerOfOurs } from '../../platform/serve.ts'

const call = z.object({ input: z.object({ customer_message: z.string() }) })

const COST_USD = 0.0004

/**
 * A service that judges messages; `secret` is the one that the platform signs this agent's calls with. What bears no
 * good signature, or an old one, is 401.
 */
export function startHttpAgent(secret: string): Promise<ServerOfOurs> {
  const webhook = new Webhook(secret)
  return serve(async (request) => {
    let given: unknown
    try {
      given = webhook.verify(await request.text(), Object.fromEntries(request.headers))
    } catch {
      return new Response('The signature does not fit.', { status: 401 })
    }
    const { input } = call.parse(given)
    return Response.json({
      output: { label: judgeMessage(input.customer_message), by: 'a service over HTTP' },
      costUsd: COST_USD,
    })
  })
}
