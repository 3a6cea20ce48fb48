import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

/** A GraphQL answer with its status and its bytes. */
export interface Answer {
  status: number
  text: string
  body: {
    data?: Record<string, unknown> | null
    errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[]
  }
}

/** What a subscription delivers. */
export interface Delivery {
  data?: Record<string, unknown> | null
  errors?: readonly { message: string; extensions?: Record<string, unknown> | undefined }[]
}

/** Somebody at the gateway's door. */
export interface Caller {
  /** The API key; null for nobody. */
  key: string | null
  /** Whatever the answer is. */
  send(query: string, variables?: Record<string, unknown>): Promise<Answer>
  /** The data; throws when there are errors. */
  query<Result = Record<string, never>>(query: string, variables?: Record<string, unknown>): Promise<Result>
  /** Deliveries over graphql-ws, until the caller stops reading. */
  subscribe(query: string, variables?: Record<string, unknown>): AsyncIterableIterator<Delivery>
  close(): Promise<void>
}

/** A caller with this key, over real HTTP and WebSocket. */
export function openCaller(url: string, key: string | null): Caller {
  const headers = key === null ? {} : { authorization: `Bearer ${key}` }
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: headers,
    retryAttempts: 0,
  })
  async function send(query: string, variables: Record<string, unknown> = {}): Promise<Answer> {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    })
    const text = await response.text()
    return { status: response.status, text, body: JSON.parse(text) }
  }
  return {
    key,
    send,
    async query<Result>(query: string, variables?: Record<string, unknown>) {
      const { body, text } = await send(query, variables)
      if (body.errors || !body.data) throw new Error(`${query}\n${text}`)
      return body.data as Result
    },
    subscribe: (query, variables = {}) =>
      client.iterate<Record<string, unknown>>({ query, variables }) as AsyncIterableIterator<Delivery>,
    close: async () => client.dispose(),
  }
}

/** Codes of an answer's errors, each once. */
export const codesOf = ({ body }: Pick<Answer, 'body'>): string[] => [
  ...new Set((body.errors ?? []).map((error) => String(error.extensions?.['code']))),
]
