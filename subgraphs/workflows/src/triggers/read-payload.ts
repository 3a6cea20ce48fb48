import { unstorable } from './unstorable.ts'
import { refusal, type WebhookAnswer, type WebhookCall } from './webhook-answer.ts'

/** A call's body, JSON or text; what to answer where it is neither, or cannot be kept. */
export function readPayload({ contentType, body }: WebhookCall): WebhookAnswer | { value: unknown } {
  if (body === null) return refusal(400, 'BAD_INPUT', 'The body is not UTF-8.')
  const type = (contentType ?? 'application/json').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const json = type === 'application/json' || type.endsWith('+json')
  if (!json && !type.startsWith('text/')) {
    return refusal(415, 'BAD_INPUT', 'Send application/json or text/plain.')
  }
  const value = json ? parseJson(body) : body
  if (value === undefined) return refusal(400, 'BAD_INPUT', 'The body is not JSON.')
  const problem = unstorable(value)
  return problem === null ? { value } : refusal(400, 'BAD_INPUT', `The body: ${problem}`)
}

/** Undefined when it is no JSON; an empty body is null. */
function parseJson(body: string): unknown {
  if (body.trim() === '') return null
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
