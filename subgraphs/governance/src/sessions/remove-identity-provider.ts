import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { endSessionsBy } from './end-sessions.ts'

/**
 * Removes an identity provider; who logged in by it is out. Principals stay, with their keys. Events:
 * identity_provider.removed, credential.revoked for each session. Audit: an execution. NOT_FOUND.
 */
export async function removeIdentityProvider(
  { database }: DomainServices,
  actor: Actor,
  { id }: { id: string },
): Promise<{ id: string; sessionsEnded: number }> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    // Locked first: a login that has begun sees it gone, or its session is among those that end here.
    const [provider] = await tx.sql<{ issuer: string }>(
      'select issuer from identity_provider where organization_id = $1::uuid and id = $2::uuid for update',
      actor.organizationId,
      id,
    )
    if (!provider) return fail('NOT_FOUND', { path: 'input.id' })
    const sessionsEnded = await endSessionsBy(tx, 'provider_id', id)
    await tx.sql(
      'update session set provider_id = null where organization_id = $1::uuid and provider_id = $2::uuid',
      actor.organizationId,
      id,
    )
    await tx.sql(
      'delete from identity_provider where organization_id = $1::uuid and id = $2::uuid',
      actor.organizationId,
      id,
    )
    const data = { providerId: id, issuer: provider.issuer }
    await tx.appendEvent({ type: 'identity_provider.removed', subject: `identityProvider/${id}`, data })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `People of ${provider.issuer} may log in no more.`,
      details: { context: { ...data, sessionsEnded }, outcome: 'removed' },
      significance: 'significant',
      subject: `identityProvider/${id}`,
    })
    return { id, sessionsEnded }
  })
}
