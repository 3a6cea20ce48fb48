import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import { serve } from '../platform/serve.ts'

/** Money that went out. */
export interface Payment {
  order: string
  /** US dollars. */
  sum: number
  receipt: string
}

/** The agent, and what it paid. */
export interface RefundAgent extends AsyncDisposable {
  readonly url: string
  /** By idempotency key: however often the platform asks, it is paid once. */
  readonly ledger: ReadonlyMap<string, Payment>
  /** Who signs its calls; until then it answers 503. */
  trust(secret: string): void
}

const call = z.discriminatedUnion('step', [
  z.object({ step: z.literal('propose'), input: z.object({ complaint: z.string(), paid: z.number() }) }),
  z.object({
    step: z.enum(['pay', 'pay_at_counter']),
    input: z.object({ order: z.string(), sum: z.number() }),
  }),
])

/** Starts it on a free port of 127.0.0.1. What bears no good signature is 401. */
export async function startRefundAgent(): Promise<RefundAgent> {
  const ledger = new Map<string, Payment>()
  let webhook: Webhook | undefined
  const server = await serve(async (request) => {
    if (!webhook) return new Response('Not yet.', { status: 503 })
    let given: unknown
    try {
      given = webhook.verify(await request.text(), Object.fromEntries(request.headers))
    } catch {
      return new Response('The signature does not fit.', { status: 401 })
    }
    const { step, input } = call.parse(given)
    if (step === 'propose') return Response.json({ output: propose(input) })
    const key = request.headers.get('idempotency-key') ?? ''
    const paid = ledger.get(key) ?? {
      order: input.order,
      sum: input.sum,
      receipt: `${input.order}/${ledger.size + 1}`,
    }
    ledger.set(key, paid)
    return Response.json({ output: { paid: paid.sum, receipt: paid.receipt } })
  })
  return {
    url: `${server.origin}/refunds`,
    ledger,
    trust(secret) {
      webhook = new Webhook(secret)
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** All of it for what is broken or wrong, a fifth for what was late, else half. */
export function propose({ complaint, paid }: { complaint: string; paid: number }): { sum: number } {
  const part = /broken|wrong/i.test(complaint) ? 1 : /late/i.test(complaint) ? 0.2 : 0.5
  return { sum: Math.round(paid * part * 100) / 100 }
}
