import type { Database } from '../tenancy/open-database.ts'

export const EVENT_CHANNEL = 'tutti_events'
const QUIET_MS = 5

/**
 * Tells other processes that the log grew: `NOTIFY` after the commit, never within it (four times the commits a
 * second), and at most every 5 ms.
 */
export function startAnnouncer(database: Database): { stop(): void } {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  database.onAppend(() => {
    if (timer || stopped) return
    timer = setTimeout(() => {
      timer = undefined
      // A lost nudge costs one poll interval, never an event.
      database
        .pool('api')
        .query(`select pg_notify('${EVENT_CHANNEL}', '')`)
        .catch(() => undefined)
    }, QUIET_MS)
  })
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
