import type { Database } from '../tenancy/open-database.ts'

export const EVENT_CHANNEL = 'tutti_events'
const QUIET_MS = 5
const PACE_MS = 20

/**
 * Tells other processes that the log grew: `NOTIFY` after the commit, never within it (four times the commits a
 * second), 5 ms after the first write, and at most every 20 ms.
 */
export function startAnnouncer(database: Database): { stop(): void } {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let last = 0
  database.onAppend(() => {
    if (timer || stopped) return
    const now = performance.now()
    timer = setTimeout(
      () => {
        timer = undefined
        last = performance.now()
        // A lost nudge costs one poll interval, never an event.
        database
          .pool('api')
          .query(`select pg_notify('${EVENT_CHANNEL}', '')`)
          .catch(() => undefined)
      },
      Math.max(QUIET_MS, last + PACE_MS - now),
    )
  })
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
