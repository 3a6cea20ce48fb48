import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import type { ApprovalRow } from './approval-row.ts'
import { isPending } from './approval-status.ts'
import { lockApproval } from './lock-approval.ts'
import { hasTooFewOf, openToAdministrators } from './open-to-administrators.ts'

/** Who can decide less from now on, or whose members can. */
export interface Left {
  principalId?: string
  /** Groups and teams besides those in which the principal is still. */
  groups?: readonly string[]
  teamIds?: readonly string[]
}

const ID = `'^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'`

// Many name the same: who that is, is looked up once.
const STRANDED = `with waiting as materialized (
    select a.organization_id, a.id, a.stages, a.stage, a.round, a.requested_by, a.authors, a.stages->a.stage->'people' as people,
      a.stages->a.stage->'groups' as groups, a.stages->a.stage->'teamIds' as teams
    from approval a left join principal gone on gone.organization_id = a.organization_id and gone.id = $2
    where a.organization_id = $1 and a.status = 'pending' and jsonb_array_length(a.stages->a.stage->'roles') = 0
      and ((a.stages->a.stage->'people') ? gone.id::text
        or (a.stages->a.stage->'groups') ?| ($3::text[] || coalesce(gone.groups, '{}'))
        or (a.stages->a.stage->'teamIds') ?| ($4::text[] || coalesce(gone.team_ids::text[], '{}')))),
  named as materialized (
    select asked.people, asked.groups, asked.teams, array(
      select p.id::text from principal p
      where p.organization_id = $1 and p.kind = 'person' and p.deactivated_at is null
        and (p.groups && array(select jsonb_array_elements_text(asked.groups))
          or p.team_ids::text[] && array(select jsonb_array_elements_text(asked.teams))
          or asked.people ? p.id::text)
      union all
      select elsewhere from jsonb_array_elements_text(asked.people) as elsewhere
      where case when elsewhere ~ ${ID} then not exists (select from principal p
        where p.organization_id = $1 and p.id = elsewhere::uuid) else true end) as ids
    from (select distinct people, groups, teams from waiting) as asked)
  select a.id from waiting a
  where ${hasTooFewOf(`select unnest(n.ids) from named n
    where n.people = a.people and n.groups = a.groups and n.teams = a.teams`)}
  order by a.id`

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
  const waiting = await database.readTenant<{ id: string }>(actor, STRANDED, [
    actor.organizationId,
    principalId ?? null,
    groups,
    teamIds,
  ])
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
