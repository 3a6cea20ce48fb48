import { setTimeout as pause } from 'node:timers/promises'

import { createClient } from 'graphql-ws'

import { InputMistake } from '../input/input-mistake.ts'
import type { Door } from './find-door.ts'

const LONGEST_PAUSE_MS = 3_000
// What the server closes with when waiting does not help: bad request, unauthorized, forbidden, no subprotocol.
const HOPELESS = new Set([4400, 4401, 4403, 4406])

function closeCode(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number'
    ? error.code
    : undefined
}

/**
 * Follows a subscription by graphql-ws until `signal` aborts. After a cut it connects again with `$after` set to the last
 * cursor received, so nothing is missed and nothing comes twice. `onConnected` is called each time the feed stands.
 *
 * `T` is the shape of one result's data; `cursorOf` finds the cursor in it.
 */
export async function follow<T extends object>(
  door: Door,
  subscription: { query: string; variables?: object; after?: string | null },
  handlers: { cursorOf(data: T): string; onData(data: T): void; onConnected?(): void; onCut?(): void },
  signal: AbortSignal,
): Promise<void> {
  let after = subscription.after ?? null
  let delay = 100
  while (!signal.aborted) {
    const client = createClient({
      url: door.url.replace(/^http/, 'ws'),
      connectionParams: { authorization: `Bearer ${door.key}` },
      // The library's own retry would subscribe again with the first cursor.
      retryAttempts: 0,
      on: { connected: () => handlers.onConnected?.() },
    })
    const stop = () => void client.dispose()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const results = client.iterate<T>({
        query: subscription.query,
        variables: { ...subscription.variables, after },
      })
      for await (const result of results) {
        if (result.errors) throw new InputMistake(result.errors.map((error) => error.message).join('; '))
        if (!result.data) continue
        after = handlers.cursorOf(result.data)
        delay = 100
        handlers.onData(result.data)
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof InputMistake) throw error
      if (HOPELESS.has(closeCode(error) ?? 0))
        throw new InputMistake(`The subscription was refused: ${String(closeCode(error))}`)
    } finally {
      signal.removeEventListener('abort', stop)
      await client.dispose()
    }
    if (signal.aborted) return
    handlers.onCut?.()
    await pause(delay, undefined, { signal }).catch(() => undefined)
    delay = Math.min(delay * 2, LONGEST_PAUSE_MS)
  }
}
