import { Readable } from 'node:stream'
import { type Dispatcher, request } from 'undici'
import { AddressRefused, type Egress } from './open-egress.ts'
import { refuseAddress } from './refuse-address.ts'

/** `fetch`, as the SDKs of protocols take it. */
export type EgressFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** Thrown while an answer is read: it is longer than what anybody needs. */
class AnswerTooLarge extends Error {
  readonly code = 'AGENT_ANSWER_TOO_LARGE'
}

/** Thrown for an answer that sends the caller elsewhere. */
class Redirected extends Error {
  readonly code = 'AGENT_REFUSED'
}

/** Why a request came to nothing, where sending it again would not help. */
export type EgressProblem = AddressRefused | AnswerTooLarge | Redirected

/** What a caller adds to its requests, and what it hears of them. */
export interface FetchRules {
  /** Headers for this origin alone, as `https://host:port`: other places that an answer names get none of them. */
  origin: string
  headers: Readonly<Record<string, string>>
  /** Bytes of an answer, or of one event of a stream. */
  most: number
  onRequest(): void
  onAnswer(answer: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'>): void
  /** Told before the request or the answer fails with it; SDKs may pass on only that it failed. */
  onProblem(problem: EgressProblem): void
  /** The answer was read to its end, or broke. */
  onEnd(whole: boolean): void
}

const NO_BODY = [204, 205, 304]

/**
 * `fetch` under the rules that agents over HTTP are called by: addresses are checked before and while connecting, redirects
 * are refused, nothing is decompressed. Rejects with AddressRefused, Redirected, or what the connection says.
 */
export function egressFetch(
  { allowLocal, dispatcher }: Pick<Egress, 'allowLocal' | 'dispatcher'>,
  rules: FetchRules,
): EgressFetch {
  async function send(url: string, init: RequestInit): Promise<Dispatcher.ResponseData> {
    const refusal = refuseAddress(url, allowLocal)
    if (refusal) throw new AddressRefused(refusal)
    const headers = Object.fromEntries(new Headers(init.headers))
    if (new URL(url).origin === rules.origin) Object.assign(headers, rules.headers)
    const answer = await request(url, {
      method: METHODS.find((each) => each === init.method) ?? 'GET',
      headers,
      dispatcher,
      ...(typeof init.body === 'string' ? { body: init.body } : {}),
      ...(init.signal ? { signal: init.signal } : {}),
      // The attempt's own time is the limit.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    const { statusCode } = answer
    if (statusCode < 300 || statusCode > 399 || statusCode === 304) return answer
    discard(answer.body)
    throw new Redirected(`The agent answered with status ${statusCode}; redirects are not followed.`)
  }

  return async (input, init = {}) => {
    rules.onRequest()
    const answer = await send(input instanceof Request ? input.url : String(input), init).catch(
      (error: unknown) => {
        if (error instanceof AddressRefused || error instanceof Redirected) rules.onProblem(error)
        throw error
      },
    )
    rules.onAnswer(answer)
    const { statusCode: status, body } = answer
    const headers = new Headers()
    for (const [name, values] of Object.entries(answer.headers)) {
      for (const value of [values ?? []].flat()) headers.append(name, value)
    }
    if (NO_BODY.includes(status)) {
      discard(body)
      rules.onEnd(true)
      return new Response(null, { status, headers })
    }
    const isStream = /^text\/event-stream\b/i.test(headers.get('content-type') ?? '')
    const limited = Readable.from(limit(body, isStream, rules), { objectMode: false })
    return new Response(Readable.toWeb(limited), { status, headers })
  }
}

const METHODS = ['GET', 'POST', 'DELETE'] as const

/** The same bytes, until there are too many: of all, or of what follows the last empty line of a stream of events. */
async function* limit(
  body: AsyncIterable<Buffer>,
  isStream: boolean,
  { most, onProblem, onEnd }: FetchRules,
): AsyncGenerator<Buffer, void> {
  let size = 0
  let whole = false
  try {
    for await (const part of body) {
      const [first, last] = isStream ? emptyLines(part) : [-1, -1]
      const longest = size + (first < 0 ? part.byteLength : first)
      size = last < 0 ? longest : part.byteLength - last
      if (Math.max(longest, size) > most) {
        const problem = new AnswerTooLarge('The agent answered more than 2 MiB.')
        onProblem(problem)
        throw problem
      }
      yield part
    }
    whole = true
  } finally {
    onEnd(whole)
  }
}

/** Where the first empty line begins, and the last; -1 when there is none. */
function emptyLines(part: Buffer): [number, number] {
  const firsts = ['\n\n', '\n\r\n'].map((end) => part.indexOf(end)).filter((at) => at >= 0)
  const last = Math.max(part.lastIndexOf('\n\n'), part.lastIndexOf('\n\r\n'))
  return [firsts.length === 0 ? -1 : Math.min(...firsts), last]
}

/** Gives up what nobody reads; that it was given up is no news. */
function discard(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => undefined).destroy()
}
