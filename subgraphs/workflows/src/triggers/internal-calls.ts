import { receiveWebhook, webhookCallSchema } from './receive-webhook.ts'
import type { Services } from '../context.ts'

/** Signed calls by the gateway that are not GraphQL: `/internal/webhook`, a call → the status and body to answer. */
export function internalCalls(
  services: Pick<Services, 'database' | 'wake' | 'secret' | 'log'>,
): Record<'/internal/webhook', (body: unknown) => Promise<unknown>> {
  return {
    '/internal/webhook': (body) => receiveWebhook(services, webhookCallSchema.parse(body)),
  }
}
