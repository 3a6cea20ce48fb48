const DEADLOCK = '40P01'
const MOST_TRIES = 5

/**
 * Does a transaction again that PostgreSQL ended because of a deadlock. An act of control locks whole runs, and with
 * them runs they wait for; the order of the locks makes a deadlock rare, not impossible.
 */
export async function retryDeadlocks<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (tries === MOST_TRIES || !isDeadlock(error)) throw error
    }
  }
}

const isDeadlock = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === DEADLOCK
