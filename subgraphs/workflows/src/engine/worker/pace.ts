import { LEASE_SECONDS } from '../store/lease-seconds.ts'

// What the task runner and its simulation go by.

/** How often a worker looks by itself. */
export const POLL_MS = 1_000
/** How often the leases of what it holds are renewed. */
export const RENEW_MS = 1_500
/** How often leases that ran out are looked for. */
export const LOST_MS = 500
/** How often what was left undone beside the main way is looked for. */
export const RECONCILE_MS = 5_000
/** Statements under way at once: while PostgreSQL writes one, the next is prepared. */
export const WRITERS = 2
/** Strands that a tenant with little may have under way. */
export const LITTLE = 4
/** So many steps in a row, and for so long, a strand goes on in place: then it goes back into the queue. */
export const CONTINUE_STEPS = 20
export const CONTINUE_MS = 50
/** After a write that failed for a reason that passes. */
export const RETRY_WRITE_MS = 250
/** For so long a beginning may be in memory alone. */
export const UNWRITTEN_MS = 25
/** What a process gives up before its lease ends, for the time it takes to notice. */
export const LEASE_MS = LEASE_SECONDS * 1_000 - 250
/** How often a worker looks whether its own leases have ended. */
export const WATCH_MS = 100
/** A task whose worker was lost so often is taken to be the reason. */
export const MOST_RECOVERIES = 8
