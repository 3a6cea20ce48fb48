import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import type { ApprovalRow } from './approval-row.ts'
import { isPending } from './approval-status.ts'
import { lockApproval } from './lock-approval.ts'
import { openToAdministrators } from './open-to-administrators.ts'

/**
 * Opens to administrators what waits for a principal, or for groups or teams of theirs, and nobody else who is active can
 * decide. Output: those approvals. Events and audit: as {@link openToAdministrators}.
 */
export async function openStrandedApprovals(
  { database }: DomainServices,
  actor: Actor,
  principalId: string,
): Promise<ApprovalRow[]> {
  const waiting = await database.readTenant<{ id: string }>(
    actor,
    `select a.id from approval a join principal p on p.organization_id = a.organization_id
     where a.organization_id = $1 and p.id = $2 and a.status = 'pending'
       and jsonb_array_length(a.stages->a.stage->'roles') = 0
       and ((a.stages->a.stage->'people') ? p.id::text or (a.stages->a.stage->'groups') ?| p.groups
         or (a.stages->a.stage->'teamIds') ?| p.team_ids::text[])
     order by a.id`,
    [actor.organizationId, principalId],
  )
  const opened: ApprovalRow[] = []
  for (const { id } of waiting) {
    const after = await database.inTenant(actor, async (tx) => {
      const before = await lockApproval(tx, id)
      if (!isPending(before)) return null
      const now = await openToAdministrators(tx, before)
      return now === before ? null : now
    })
    if (after) opened.push(after)
  }
  return opened
}
