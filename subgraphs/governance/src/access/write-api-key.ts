import type { TenantTransaction } from '@tutti/prisma'
import { fail, type Role, type Scope } from '@tutti/schema'
import type { ApiKeyRow } from './api-key-row.ts'
import { behind } from './behind.ts'
import { effectiveAccess } from './effective-access.ts'
import { endOf } from './held-until.ts'
import { hashOf, newSecret, prefixOf } from './key-secret.ts'
import { readPrincipals } from './read-principal.ts'
import { requireGrantable } from './require-grantable.ts'

/** For whom a key is, and until when. */
export interface NewApiKey {
  principalName: string
  kind: 'person' | 'agent' | 'integration'
  roles: readonly Role[]
  expiresAt: Date | null
  /** At most these of what its principal may; none: all of it. */
  scopes?: readonly Scope[]
}

/**
 * Writes a key in the caller's transaction; makes its principal when there is none of this name. CONFLICT when there
 * is one of another kind or with other roles: a new key must not change what the older ones may do. BAD_INPUT for
 * scopes that its principal does not have, FORBIDDEN for more than the caller has. It ends when the caller's own right does.
 */
export async function writeApiKey(
  tx: TenantTransaction,
  { principalName, kind, roles, expiresAt, scopes = [] }: NewApiKey,
): Promise<{ apiKey: ApiKeyRow; secret: string }> {
  const { organizationId } = tx.actor
  const name = principalName
  const wanted = [...new Set(roles)].sort()
  await tx.db.principal.createMany({
    data: [{ organizationId, kind, name, roles: wanted }],
    skipDuplicates: true,
  })
  const principal = await tx.db.principal.findFirstOrThrow({ where: { name } })
  if (principal.kind !== kind || [...principal.roles].sort().join() !== wanted.join()) {
    fail('CONFLICT', {
      path: 'input.principalName',
      hint: `There is a ${principal.kind} of this name with the roles ${principal.roles.join(', ')}.`,
    })
  }
  const [access] = await readPrincipals(tx, [principal.id], () => 'input.principalName')
  const granted = effectiveAccess(principal.roles, access?.held ?? [])
  const beyond = scopes.filter((scope) => !granted.scopes.includes(scope))
  if (beyond.length > 0) {
    fail('BAD_INPUT', {
      path: 'input.scopes',
      message: `Its roles do not grant ${beyond.join(', ')}.`,
      hint: `They grant ${granted.scopes.join(', ')}.`,
    })
  }
  // Also what it has in one place only, and by assignments: the key opens all of it.
  const opens = [...granted.scopes, ...granted.within.flatMap((each) => each.scopes)]
  const given = scopes.length === 0 ? opens : opens.filter((scope) => scopes.includes(scope))
  requireGrantable(tx.actor, given, scopes.length === 0 ? 'input.roles' : 'input.scopes')
  const secret = newSecret()
  const key = await tx.db.apiKey.create({
    data: {
      organizationId,
      principalId: principal.id,
      hash: hashOf(secret),
      prefix: prefixOf(secret),
      scopes: [...new Set(scopes)].sort(),
      createdBy: behind(tx.actor),
      expiresAt: endOf(tx.actor, [...given, 'access:manage'], expiresAt),
    },
  })
  return { apiKey: { ...key, principalName: name, roles: principal.roles }, secret }
}
