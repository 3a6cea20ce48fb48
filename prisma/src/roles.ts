import { createHmac } from 'node:crypto'

/**
 * PostgreSQL roles. `api` is bound by forced row-level security; `worker` sees every tenant, on the engine's tables
 * only; `tail` reads the event log; `definer` owns the functions that run before a tenant is known and cannot log in;
 * `queue` owns BullMQ's tables.
 */
export const DATABASE_ROLES = ['api', 'worker', 'tail', 'sealer', 'retention', 'queue'] as const
export type DatabaseRole = (typeof DATABASE_ROLES)[number]

/** The password of a role, derived so that processes share nothing but TUTTI_SECRET. */
export function rolePassword(secret: string, role: DatabaseRole): string {
  return createHmac('sha256', secret).update(`database-role:${role}`).digest('base64url')
}

/** The same database under another role. The user and password in `url` are the owner's, or absent. */
export function roleUrl(url: string, role: DatabaseRole, secret: string): string {
  const target = new URL(url)
  target.username = `tutti_${role}`
  target.password = rolePassword(secret, role)
  return target.toString()
}
