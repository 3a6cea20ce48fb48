import { hashPath, newPath, newSigningSecret, seal } from './webhook-secret.ts'

/** What a sender needs; the platform shows it once. */
export interface WebhookSecret {
  /** As `/hooks/…`. */
  path: string
  signingSecret: string | null
}

/** What is stored of it. */
export interface StoredWebhook {
  pathHash: string
  signingSecret: string | null
}

/** A new path, and if wanted the sender's secret or a new one: to be shown, and to be stored. */
export function makeWebhook(
  secret: string,
  triggerId: string,
  { signed, signingSecret }: { signed: boolean; signingSecret: string | null },
): { shown: WebhookSecret; stored: StoredWebhook } {
  const path = newPath()
  const key = signed ? (signingSecret ?? newSigningSecret()) : null
  return {
    shown: { path: `/hooks/${path}`, signingSecret: key },
    stored: { pathHash: hashPath(path), signingSecret: key === null ? null : seal(secret, triggerId, key) },
  }
}
