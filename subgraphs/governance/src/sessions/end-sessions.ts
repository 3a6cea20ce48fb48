import type { SqlTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'

/**
 * Ends all sessions of somebody, and answers how many; they may log in again. Events: credential.revoked for each.
 * Audit: an execution. NOT_FOUND for a principal that is none of the organization.
 */
export async function endSessions(
  { database }: DomainServices,
  actor: Actor,
  { principalId }: { principalId: string },
): Promise<number> {
  if (!isId(principalId)) fail('NOT_FOUND', { path: 'input.principalId' })
  return database.inTenant(actor, async (tx) => {
    const [principal] = await tx.sql<{ name: string }>(
      'select name from principal where organization_id = $1::uuid and id = $2::uuid',
      actor.organizationId,
      principalId,
    )
    if (!principal) return fail('NOT_FOUND', { path: 'input.principalId' })
    const ended = await endSessionsBy(tx, 'principal_id', principalId)
    if (ended === 0) return 0
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `The sessions of ${principal.name} were ended.`,
      details: { context: { principalId, ended }, outcome: 'ended' },
      significance: 'significant',
      subject: `principal/${principalId}`,
    })
    return ended
  })
}

/** Ends the sessions that are open, in the caller's transaction, and answers how many. Events: credential.revoked. */
export async function endSessionsBy(
  tx: SqlTransaction,
  column: 'id' | 'principal_id' | 'provider_id',
  id: string,
): Promise<number> {
  const ended = await tx.sql<{ id: string }>(
    `update session set ended_at = clock_timestamp() where organization_id = $1::uuid and ${column} = $2::uuid
       and ended_at is null and expires_at > clock_timestamp() returning id`,
    tx.actor.organizationId,
    id,
  )
  for (const session of ended) {
    await tx.appendEvent({
      type: 'credential.revoked',
      subject: `session/${session.id}`,
      data: { credentialId: session.id },
    })
  }
  return ended.length
}
