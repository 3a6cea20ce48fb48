import { createHash } from 'node:crypto'
import { canonicalJson } from '@tutti/schema'

/** SHA-256 in hex of the canonical JSON `{"action", "arguments"}`: what exactly is asked. */
export function digestOf(question: { action: string; arguments: unknown }): string {
  const asked = { action: question.action, arguments: question.arguments }
  return createHash('sha256').update(canonicalJson(asked)).digest('hex')
}
