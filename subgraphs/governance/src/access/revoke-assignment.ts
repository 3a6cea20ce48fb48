import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { assignmentRef, readAssignment } from './assign-role.ts'
import type { AssignmentRow } from './assignment-row.ts'
import { endGiven } from './end-given.ts'
import { keepAnAdministrator } from './keep-an-administrator.ts'

/**
 * Takes a role back, at once, and with that of broken glass what was given by it; again, it changes nothing. Events: role.unassigned,
 * and as {@link endGiven}. Audit: an execution. NOT_FOUND;
 * INVALID_STATE when no administrator would be left.
 */
export async function revokeAssignment(
  { database }: DomainServices,
  actor: Actor,
  { id }: { id: string },
): Promise<AssignmentRow> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    const revoked = await keepAnAdministrator(tx, 'input.id', () =>
      tx.sql(
        `update role_assignment set revoked_at = clock_timestamp()
         where organization_id = $1::uuid and id = $2::uuid and revoked_at is null returning id`,
        actor.organizationId,
        id,
      ),
    )
    const assignment = await readAssignment(tx, id)
    if (revoked.length === 0) return assignment
    await endGiven(tx, id)
    await tx.appendEvent({
      type: 'role.unassigned',
      subject: `roleAssignment/${id}`,
      data: assignmentRef(assignment),
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `The role ${assignment.role} was taken back from ${assignment.principalName ?? assignment.groupName}.`,
      details: { context: assignmentRef(assignment), outcome: 'revoked' },
      significance: 'significant',
      subject: `roleAssignment/${id}`,
      ...(assignment.principalId === null ? {} : { dataSubject: `person/${assignment.principalId}` }),
    })
    return assignment
  })
}
