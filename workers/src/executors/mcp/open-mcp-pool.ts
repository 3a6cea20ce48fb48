import type { Client } from '@modelcontextprotocol/client'

/** An idle connection is closed after this long. */
const IDLE_MS = 60_000
const SWEEP_MS = 10_000
/** Connections kept at once; of more, the one that was idle longest goes. */
const MOST = 200

interface Kept {
  client: Promise<Client>
  users: number
  /** When its last user left, by `performance.now()`. */
  since: number
}

/** Opens a connection; gives it up when the signal, the pool's, aborts. */
export type OpenConnection = (signal: AbortSignal) => Promise<Client>

/** A connection in use; its end gives it back. */
export interface HeldConnection extends Disposable {
  readonly client: Client
}

/** Connections to MCP servers, one a key, kept while they are used. Its end closes them, and with them what they started. */
export interface McpPool extends AsyncDisposable {
  /** The connection of this key, opened when there is none, until it is given back. Rejects when the signal aborts first. */
  acquire(key: string, open: OpenConnection, signal: AbortSignal): Promise<HeldConnection>
  /** Nobody gets it any more; it is closed once nobody uses it. */
  drop(key: string): void
}

/** Opens an empty one. */
export function openMcpPool(): McpPool {
  const pool = new Map<string, Kept>()
  const dropped = new Set<Kept>()
  const closing = new Set<Promise<void>>()
  const end = new AbortController()

  function close(kept: Kept): void {
    dropped.delete(kept)
    const closed = kept.client.then(
      (client) => client.close(),
      () => undefined,
    )
    const settled = closed.catch(() => undefined).finally(() => closing.delete(settled))
    closing.add(settled)
  }

  function forget(key: string, kept: Kept): void {
    if (pool.get(key) !== kept) return
    pool.delete(key)
    if (kept.users === 0) close(kept)
    else dropped.add(kept)
  }

  function leave(kept: Kept): void {
    kept.users -= 1
    kept.since = performance.now()
    if (kept.users === 0 && dropped.has(kept)) close(kept)
  }

  function sweep(): void {
    const idle = [...pool].filter(([, { users }]) => users === 0).sort(([, a], [, b]) => a.since - b.since)
    const surplus = Math.max(0, pool.size - MOST)
    for (const [index, [key, kept]] of idle.entries()) {
      if (index < surplus || performance.now() - kept.since > IDLE_MS) forget(key, kept)
    }
  }
  const timer = setInterval(sweep, SWEEP_MS).unref()

  function keep(key: string, open: OpenConnection): Kept {
    const kept: Kept = { client: open(end.signal), users: 0, since: performance.now() }
    pool.set(key, kept)
    kept.client.then(
      (client) => {
        const said = client.onclose
        client.onclose = () => {
          said?.()
          forget(key, kept)
        }
      },
      () => forget(key, kept),
    )
    if (pool.size > MOST) sweep()
    return kept
  }

  return {
    async acquire(key, open, signal) {
      signal.throwIfAborted()
      const kept = pool.get(key) ?? keep(key, open)
      kept.users += 1
      try {
        return { client: await untilAborted(kept.client, signal), [Symbol.dispose]: () => leave(kept) }
      } catch (error) {
        leave(kept)
        throw error
      }
    },
    drop(key) {
      const kept = pool.get(key)
      if (kept) forget(key, kept)
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      end.abort()
      for (const kept of [...pool.values(), ...dropped]) close(kept)
      pool.clear()
      await Promise.all(closing)
    },
  }
}

/** The promise's value, unless the signal aborts first. */
function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: result, resolve, reject } = Promise.withResolvers<Value>()
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  return result
}
