import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'

const KNOWN_ORGANIZATIONS = 2_000

interface Known {
  has: Promise<boolean>
  readAt: number
}

const ofDatabase = new WeakMap<Database, Map<string, Known>>()

/** Whether an organization has any budget, as it was at most `trustMs` ago. */
export function hasBudgets(
  { database }: { database: Database },
  { organizationId }: Pick<Actor, 'organizationId'>,
  trustMs: number,
): Promise<boolean> {
  const organizations = ofDatabase.get(database) ?? new Map<string, Known>()
  ofDatabase.set(database, organizations)
  const now = performance.now()
  const before = organizations.get(organizationId)
  if (before && now - before.readAt < trustMs) return before.has
  if (organizations.size >= KNOWN_ORGANIZATIONS) organizations.clear()
  const has = database
    .pool('worker')
    .query('select from budget where organization_id = $1 limit 1', [organizationId])
    .then(({ rowCount }) => rowCount === 1)
  organizations.set(organizationId, { has, readAt: now })
  has.catch(() => organizations.delete(organizationId))
  return has
}
