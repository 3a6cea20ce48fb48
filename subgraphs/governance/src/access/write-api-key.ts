import type { TenantTransaction } from '@tutti/prisma'
import { fail, type Role } from '@tutti/schema'
import type { ApiKeyRow } from './api-key-row.ts'
import { hashOf, newSecret, prefixOf } from './key-secret.ts'

/** For whom a key is, and until when. */
export interface NewApiKey {
  principalName: string
  kind: 'person' | 'agent' | 'integration'
  roles: readonly Role[]
  expiresAt: Date | null
}

/**
 * Writes a key in the caller's transaction; makes its principal when there is none of this name. CONFLICT when there
 * is one of another kind or with other roles: a new key must not change what the older ones may do.
 */
export async function writeApiKey(
  tx: TenantTransaction,
  { principalName, kind, roles, expiresAt }: NewApiKey,
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
  const secret = newSecret()
  const key = await tx.db.apiKey.create({
    data: {
      organizationId,
      principalId: principal.id,
      hash: hashOf(secret),
      prefix: prefixOf(secret),
      expiresAt,
    },
  })
  return { apiKey: { ...key, principalName: name, roles: principal.roles }, secret }
}
