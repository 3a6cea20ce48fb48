import { setTimeout as pause } from 'node:timers/promises'

import { InputMistake } from '../input/input-mistake.ts'
import type { Door } from './find-door.ts'

/** An error the platform answered with: its stable code, and the argument it is about when there is one. */
export class PlatformError extends Error {
  override name = 'PlatformError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

interface Reply {
  data?: unknown
  errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[]
}

const RETRYABLE = new Set(['UNAVAILABLE', 'TIMEOUT', 'RATE_LIMITED'])
const PATIENCE_MS = 30_000

function isReply(value: unknown): value is Reply {
  return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value)
}

async function askOnce(door: Door, query: string, variables: object): Promise<unknown> {
  const response = await fetch(door.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${door.key}` },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  const body: unknown = await response.json().catch(() => undefined)
  if (!isReply(body))
    throw new PlatformError(
      response.status >= 500 ? 'UNAVAILABLE' : 'NO_GRAPHQL',
      `${door.url} answered HTTP ${response.status}, not GraphQL.`,
    )
  const [error] = body.errors ?? []
  if (error) {
    const hint = error.extensions?.['hint']
    const problems = error.extensions?.['problems']
    throw new PlatformError(
      String(error.extensions?.['code'] ?? 'UNKNOWN'),
      [
        error.message,
        typeof hint === 'string' ? hint : '',
        Array.isArray(problems) ? problems.map((problem) => JSON.stringify(problem)).join('\n') : '',
      ]
        .filter(Boolean)
        .join(' '),
    )
  }
  return body.data
}

function mayPass(error: unknown): boolean {
  if (error instanceof PlatformError) return RETRYABLE.has(error.code)
  return error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')
}

/**
 * One GraphQL operation over HTTP. What may pass by itself (no connection, UNAVAILABLE, TIMEOUT, RATE_LIMITED) is tried
 * again for 30 s, which is safe because every mutation of these examples may be repeated.
 *
 * The caller says which shape it asked for with `T`: the platform's schema promises it for the query given.
 */
export async function ask<T extends object>(door: Door, query: string, variables: object = {}): Promise<T> {
  const until = performance.now() + PATIENCE_MS
  for (let delay = 200; ; delay = Math.min(delay * 2, 3_000)) {
    try {
      return (await askOnce(door, query, variables)) as T
    } catch (error) {
      if (!mayPass(error) || performance.now() > until) throw error
      await pause(delay)
    }
  }
}

/** Makes sure that somebody answers there and takes the key; says what to do when not. */
export async function greet(door: Door): Promise<void> {
  try {
    await askOnce(door, '{ workflows(first: 1) { nodes { id } } }', {})
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'UNAUTHENTICATED')
      throw new InputMistake(`${door.url} does not take the key from ${door.keySource}.`)
    if (error instanceof PlatformError) throw error
    throw new InputMistake(
      `Nothing answers at ${door.url}. Is \`npm start\` running? (--url names another address.)`,
    )
  }
}
