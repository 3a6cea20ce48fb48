import { receiveCallback } from './callbacks/receive-callback.ts'
import type { Services } from './context.ts'
import { receiveWebhook } from './triggers/receive-webhook.ts'
import { webhookCallSchema } from './triggers/webhook-answer.ts'

/**
 * Signed calls by the gateway that are not GraphQL: `/internal/webhook` and `/internal/callback`, a call → the status and
 * body to answer.
 */
export function internalCalls(
  services: Pick<Services, 'database' | 'wake' | 'secret' | 'log'>,
): Record<'/internal/webhook' | '/internal/callback', (body: unknown) => Promise<unknown>> {
  return {
    '/internal/webhook': (body) => receiveWebhook(services, webhookCallSchema.parse(body)),
    '/internal/callback': (body) => receiveCallback(services, webhookCallSchema.parse(body)),
  }
}
