import { ROLES, type Role, systemActor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { writeApiKey } from './write-api-key.ts'

/** The organization that a first start makes for whoever tries Tutti out; its id is the mark by which it is found. */
export const DEVELOPMENT_ORGANIZATION = '00000000-0000-7000-8000-000000000001'

const BOOTSTRAP_LOCK = 7_885_003
const NAMES: Record<Role, string> = {
  admin: 'Development administrator',
  operator: 'Development operator',
  approver: 'Development approver',
  viewer: 'Development viewer',
  agent: 'Development agent',
}

/** `keys` (role → secret) only when they were made just now: afterwards nobody knows them. */
export interface Bootstrapped {
  created: boolean
  organizationId: string
  keys?: Record<Role, string>
}

/**
 * Makes the development organization with a principal and an API key for each role; does nothing when it exists. Safe
 * to call from several processes at once. The table `organization` is the agents' room's: only this first row is
 * written here, since a tenant without a key would be of no use.
 */
export async function bootstrapDevelopment({ database }: DomainServices): Promise<Bootstrapped> {
  const organizationId = DEVELOPMENT_ORGANIZATION
  return database.inTenant(systemActor(organizationId, 'bootstrap'), async (tx) => {
    await tx.sql(`select pg_advisory_xact_lock($1::bigint)::text`, BOOTSTRAP_LOCK)
    const made = await tx.db.organization.createMany({
      data: [{ organizationId, name: 'Development' }],
      skipDuplicates: true,
    })
    if (made.count === 0) return { created: false, organizationId }
    const keys: Partial<Record<Role, string>> = {}
    for (const role of ROLES) {
      const kind = role === 'agent' ? 'agent' : 'person'
      const { secret } = await writeApiKey(tx, {
        principalName: NAMES[role],
        kind,
        roles: [role],
        expiresAt: null,
      })
      keys[role] = secret
    }
    return { created: true, organizationId, keys: keys as Record<Role, string> }
  })
}
