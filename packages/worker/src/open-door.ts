import { isRecord } from './is-record.ts'

const PATIENCE_MS = 30_000

/** The platform answered with an error, or could not be reached (`UNAVAILABLE`). */
export class PlatformError extends Error {
  override name = 'PlatformError'
  /** As the platform's table of errors has it. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }

  /** Whether the same question may be answered a moment later. */
  get isPassing(): boolean {
    return ['UNAVAILABLE', 'TIMEOUT', 'RATE_LIMITED', 'INTERNAL'].includes(this.code)
  }
}

/** The platform's door. */
export interface Door {
  /** One mutation's answer. {@link PlatformError} otherwise. */
  ask(mutation: string, selection: string, input: object): Promise<Record<string, unknown>>
  /** Calls back whenever the subscription delivers, until the signal aborts or the connection ends. */
  listen(
    subscription: string,
    variables: object,
    onDelivery: (data: unknown) => void,
    signal: AbortSignal,
  ): Promise<void>
}

/** Asks over HTTP; listens by server-sent events, which need no library. `url` is that of `/graphql`. */
export function openDoor(url: string, key: string): Door {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  return {
    async ask(mutation, selection, input) {
      const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`
      const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${selection} } }`
      let body: unknown
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers,
          body: JSON.stringify({ query, variables: { input } }),
          signal: AbortSignal.timeout(PATIENCE_MS),
        })
        body = await response.json()
      } catch (error) {
        throw new PlatformError('UNAVAILABLE', error instanceof Error ? error.message : String(error))
      }
      if (!isRecord(body)) throw new PlatformError('UNAVAILABLE', 'That was no GraphQL.')
      const [error] = Array.isArray(body['errors']) ? body['errors'] : []
      if (isRecord(error)) {
        const code = isRecord(error['extensions']) ? error['extensions']['code'] : undefined
        throw new PlatformError(String(code ?? 'UNAVAILABLE'), String(error['message']))
      }
      const answer = isRecord(body['data']) ? body['data'][mutation] : undefined
      if (!isRecord(answer)) throw new PlatformError('UNAVAILABLE', 'The answer is empty.')
      return answer
    },
    async listen(query, variables, onDelivery, signal) {
      const response = await fetch(`${url}/stream`, {
        method: 'POST',
        headers: { ...headers, accept: 'text/event-stream' },
        body: JSON.stringify({ query, variables }),
        signal,
      })
      if (!response.ok || !response.body)
        throw new PlatformError('UNAVAILABLE', `The feed was refused: ${response.status}.`)
      let text = ''
      for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
        const blocks = (text + part).split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) {
          const lines = block.split('\n')
          const data = lines
            .find((line) => line.startsWith('data:'))
            ?.slice(5)
            .trim()
          if (lines.includes('event: next') && data) onDelivery(JSON.parse(data))
        }
      }
    },
  }
}
