import type { TenantTransaction } from '@tutti/prisma'
import { actorRef } from './actor-ref.ts'

/** Of `break_glass b` and its assignment `a`: what began since, to end with it or before; `end`: the column of that. */
const ofBroken = (end: string): string =>
  `g.organization_id = $1::uuid and g.created_at >= date_trunc('milliseconds', b.started_at) and g.${end} <= a.expires_at`

const BROKEN = `from break_glass b
  join role_assignment a on a.organization_id = b.organization_id and a.id = b.assignment_id
  where b.organization_id = $1::uuid and b.assignment_id = $2::uuid`

/**
 * Where an assignment is that of broken glass, what was given by it ends too: roles, keys and the right to decide that whoever broke
 * it gave since, and that were to end with it. Events: role.unassigned, credential.revoked, approval_delegation.ended for each.
 */
export async function endGiven(tx: TenantTransaction, assignmentId: string): Promise<void> {
  const { organizationId } = tx.actor
  const assignments = await tx.sql<{
    id: string
    role: string
    principalId: string | null
    groupId: string | null
    domainId: string | null
    teamId: string | null
  }>(
    `update role_assignment g set revoked_at = clock_timestamp()
     where g.organization_id = $1::uuid and g.revoked_at is null and g.id <> $2::uuid and exists (select ${BROKEN}
       and g.granted_by->>'id' = b.principal_id::text and ${ofBroken('expires_at')})
     returning g.id, g.role, g.principal_id as "principalId", g.group_id as "groupId", g.domain_id as "domainId",
       g.team_id as "teamId"`,
    organizationId,
    assignmentId,
  )
  const keys = await tx.sql<{ id: string }>(
    `update api_key g set revoked_at = now()
     where g.organization_id = $1::uuid and g.revoked_at is null and exists (select ${BROKEN}
       and b.principal_id::text = any(g.created_by) and ${ofBroken('expires_at')}) returning g.id`,
    organizationId,
    assignmentId,
  )
  const delegations = await tx.sql<{ id: string; fromId: string; toId: string }>(
    `update approval_delegation g set ended_at = clock_timestamp(), ended_by = $3::jsonb
     where g.organization_id = $1::uuid and g.ended_at is null and exists (select ${BROKEN}
       and g.from_id = b.principal_id::text and ${ofBroken('ends_at')})
     returning g.id, g.from_id as "fromId", g.to_id as "toId"`,
    organizationId,
    assignmentId,
    JSON.stringify(actorRef(tx.actor)),
  )
  for (const { id, ...assignment } of assignments)
    await tx.appendEvent({
      type: 'role.unassigned',
      subject: `roleAssignment/${id}`,
      data: { assignmentId: id, ...assignment },
    })
  for (const { id } of keys)
    await tx.appendEvent({
      type: 'credential.revoked',
      subject: `apiKey/${id}`,
      data: { credentialId: id },
    })
  for (const { id, ...between } of delegations)
    await tx.appendEvent({
      type: 'approval_delegation.ended',
      subject: `approvalDelegation/${id}`,
      data: { delegationId: id, ...between },
    })
}
