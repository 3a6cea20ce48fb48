import { createHmac } from 'node:crypto'

/** What calls of an HTTP agent are signed with: derived from the platform's secret, so that each agent has its own. */
export function agentSigningSecret(secret: string, agentId: string): Buffer {
  return createHmac('sha256', secret).update(`agent-signature:${agentId}`).digest()
}
