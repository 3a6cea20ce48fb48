import { traceHeaders, untilAborted } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { TuttiError } from '@tutti/schema'
import { createClient } from 'graphql-sse'
import { Pool } from 'undici'

import type { SubgraphEndpoint, SubgraphRequest, SubgraphResult } from './subgraph-endpoint.ts'

export interface HttpSubgraphOptions {
  name: string
  /** Of its GraphQL endpoint; subscriptions go to `<url>/stream`. */
  url: string
  /** Headers that prove the call is ours and name the actor, over the exact bytes of the body. */
  headersFor(actor: Actor | null, body: string): Record<string, string>
  /** Connections kept alive; 64 unless given. */
  connections?: number | undefined
  /** Milliseconds a subgraph may take to answer; 10,000 unless given. */
  timeoutMs?: number | undefined
}

/** A subgraph of another process, over kept-alive HTTP; its subscriptions come as server-sent events. */
export function httpSubgraph(options: HttpSubgraphOptions): SubgraphEndpoint {
  const url = new URL(options.url)
  const timeoutMs = options.timeoutMs ?? 10_000
  const pool = new Pool(url.origin, {
    connections: options.connections ?? 64,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
  const path = url.pathname + url.search
  const streamUrl = `${url.origin}${url.pathname.replace(/\/$/, '')}/stream${url.search}`

  const execute = async (request: SubgraphRequest): Promise<SubgraphResult> => {
    const body = bodyOf(request)
    const { statusCode, body: answer } = await pool.request({
      path,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...traceHeaders(),
        ...options.headersFor(request.actor, body),
      },
      body,
      signal: request.signal ?? null,
    })
    const text = await answer.text()
    const result = readResult(text)
    if (result === null)
      throw new Error(`subgraph ${options.name} answered ${statusCode} without a GraphQL result`)
    return result
  }

  return {
    name: options.name,
    async execute(request) {
      try {
        return await execute(request)
      } catch (error) {
        throw new TuttiError('UNAVAILABLE', { cause: error })
      }
    },
    async *subscribe(request) {
      const client = createClient({
        url: streamUrl,
        retryAttempts: 0,
        fetchFn: (input: string, init: RequestInit) => {
          const body = typeof init.body === 'string' ? init.body : ''
          return fetch(input, {
            ...init,
            headers: { ...plainHeaders(init.headers), ...options.headersFor(request.actor, body) },
          })
        },
      })
      const events = client.iterate({
        query: request.query,
        ...(request.operationName === undefined ? {} : { operationName: request.operationName }),
        ...(request.variables === undefined ? {} : { variables: request.variables }),
      })
      try {
        for await (const event of untilAborted(events, request.signal)) {
          yield {
            ...(event.data === undefined ? {} : { data: event.data }),
            ...(event.errors === undefined ? {} : { errors: event.errors }),
          }
        }
      } finally {
        client.dispose()
      }
    },
    async ping() {
      await execute({ query: '{ __typename }', actor: null, signal: AbortSignal.timeout(2_000) })
    },
    close: () => pool.destroy(),
  }
}

function bodyOf(request: SubgraphRequest): string {
  return JSON.stringify({
    query: request.query,
    operationName: request.operationName,
    variables: request.variables,
  })
}

function readResult(text: string): SubgraphResult | null {
  try {
    const value: unknown = JSON.parse(text)
    return isResult(value) ? value : null
  } catch {
    return null
  }
}

/** The other end is a subgraph of ours, signed calls only: its shape is trusted past this. */
function isResult(value: unknown): value is SubgraphResult {
  return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value)
}

function plainHeaders(headers: RequestInit['headers']): Record<string, string> {
  return Object.fromEntries(new Headers(headers).entries())
}
