import { CALL_HEADER, signCall } from '@tutti/runtime'
import { z } from 'zod'

import type { ReceiveConnectorCall } from './connector-route.ts'
import type { ReceiveDecision } from './decide-route.ts'
import type { ReceiveHook } from './hook-route.ts'

/** Where the workflows subgraph takes calls of hooks: a signed call, for us alone. */
export const WEBHOOK_PATH = '/internal/webhook'
/** Likewise for answers that come later. */
export const CALLBACK_PATH = '/internal/callback'
/** Where the agents subgraph takes calls of connectors. */
const CONNECTOR_PATH = '/internal/connector'
/** Where governance takes visits of links. */
const DECISION_PATH = '/internal/decision'

const answerSchema = z.object({
  answer: z.object({
    status: z.int(),
    body: z.record(z.string(), z.unknown()),
    retryAfter: z.int().optional(),
  }),
})

/** Asks the workflows process at `url`. Throws when it does not answer. */
export function receiveHookOverHttp(url: string, secret: string, path = WEBHOOK_PATH): ReceiveHook {
  const ask = askInside(new URL(path, url), secret)
  return async (call) => answerSchema.parse(await ask(call)).answer
}

const connectorAnswerSchema = z.object({
  answer: z.object({
    status: z.int(),
    body: z.union([z.string(), z.record(z.string(), z.unknown())]),
    retryAfter: z.int().optional(),
  }),
})

/** Asks the agents process at `url`. Throws when it does not answer. */
export function receiveConnectorCallOverHttp(url: string, secret: string): ReceiveConnectorCall {
  const ask = askInside(new URL(CONNECTOR_PATH, url), secret)
  return async (call) => connectorAnswerSchema.parse(await ask(call)).answer
}

const pageSchema = z.object({
  answer: z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.string() }),
})

/** Asks the governance process at `url`. Throws when it does not answer. */
export function receiveDecisionOverHttp(url: string, secret: string): ReceiveDecision {
  const ask = askInside(new URL(DECISION_PATH, url), secret)
  return async (call) => pageSchema.parse(await ask(call)).answer
}

/** A signed call of another process of ours, and its answer. */
export function askInside(address: URL, secret: string): (call: object) => Promise<unknown> {
  return async (call) => {
    const body = JSON.stringify(call)
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [CALL_HEADER]: signCall(secret, null, body) },
      body,
      signal: AbortSignal.timeout(10_000),
    })
    if (!response.ok) throw new Error(`${address.pathname} answered ${response.status}`)
    return response.json()
  }
}
