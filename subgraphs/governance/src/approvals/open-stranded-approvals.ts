import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import type { ApprovalRow } from './approval-row.ts'
import { isPending } from './approval-status.ts'
import { lockApproval } from './lock-approval.ts'
import { HAS_TOO_FEW, openToAdministrators } from './open-to-administrators.ts'

/** Who can decide less from now on, or whose members can. */
export interface Left {
  principalId?: string
  /** Groups and teams besides those in which the principal is still. */
  groups?: readonly string[]
  teamIds?: readonly string[]
}

/**
 * Opens to administrators what waits for a principal, or for groups or teams, where too few can decide it by now. After the
 * transaction by which that came, in the ones of its own: who asks or decides meanwhile holds the approval, and waits for the
 * principal. Output: those approvals. Events and audit: as {@link openToAdministrators}.
 */
export async function openStrandedApprovals(
  { database }: DomainServices,
  actor: Actor,
  { principalId, groups = [], teamIds = [] }: Left,
): Promise<ApprovalRow[]> {
  const waiting = await database.readTenant<{ id: string }>(
    actor,
    `select a.id from approval a left join principal gone on gone.organization_id = a.organization_id and gone.id = $2
     where a.organization_id = $1 and a.status = 'pending'
       and jsonb_array_length(a.stages->a.stage->'roles') = 0
       and ((a.stages->a.stage->'people') ? gone.id::text
         or (a.stages->a.stage->'groups') ?| ($3::text[] || coalesce(gone.groups, '{}'))
         or (a.stages->a.stage->'teamIds') ?| ($4::text[] || coalesce(gone.team_ids::text[], '{}')))
       and ${HAS_TOO_FEW}
     order by a.id`,
    [actor.organizationId, principalId ?? null, groups, teamIds],
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
