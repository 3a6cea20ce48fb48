import { z } from 'zod'

/** A call as it came: the last part of its path, headers that matter, and the body; null when that is no UTF-8. */
export const webhookCallSchema = z.object({
  path: z.string(),
  contentType: z.string().nullable(),
  /** `webhook-id`, `webhook-timestamp`, `webhook-signature`. */
  webhookId: z.string().nullable(),
  timestamp: z.string().nullable(),
  signature: z.string().nullable(),
  body: z.string().nullable(),
})
export type WebhookCall = z.infer<typeof webhookCallSchema>

/** What is answered: the HTTP status, and JSON. */
export interface WebhookAnswer {
  status: number
  body: Record<string, unknown>
  /** Of 429, whole seconds: the header Retry-After. */
  retryAfter?: number
}

/** What is answered when a call is not taken. */
export function refusal(status: number, code: string, message: string): WebhookAnswer {
  return { status, body: { code, message } }
}
