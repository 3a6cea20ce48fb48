import type { TenantTransaction } from '@tutti/prisma'
import { ROLES_EVERYWHERE } from '../access/effective-access.ts'
import type { ApprovalRow } from './approval-row.ts'
import { type Authority, namesAuthority } from './approval-status.ts'
import { hasName } from './names-of.ts'

/** Whose right a yes was by, as they stand now. */
interface Decider {
  stage: number
  isDeactivated: boolean
  /** It was by a right that was lent for that time, and taken back before it was over. */
  isTakenBack: boolean
  /** By which names it was; null of a decision of before these were kept. */
  namedBy: string[] | null
  /** Null: whom an identity provider alone knows. */
  now: Authority | null
  /** Whether an identity provider may have given them roles. */
  hasLoggedIn: boolean
  /** Roles that were assigned to them when they said yes. */
  rolesThen: string[]
}

const ID = `'^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'`

const DECIDERS = `select d.stage, d.named_by as "namedBy", p.issuer is not null as "hasLoggedIn",
    exists (select from principal x where x.organization_id = d.organization_id and x.deactivated_at is not null
      and x.id in (d.decider, p.id)) as "isDeactivated",
    d.on_behalf_of_id is not null and not exists (select from approval_delegation l
      where l.organization_id = d.organization_id and l.from_id = d.on_behalf_of_id and l.to_id = d.person_id
        and l.ended_at is null and l.starts_at <= d.decided_at + interval '1 millisecond' and l.ends_at > d.decided_at)
      as "isTakenBack",
    case when p.id is not null then jsonb_build_object('id', p.id, 'roles', ${ROLES_EVERYWHERE}, 'groups', p.groups,
      'teamIds', p.team_ids) end as now,
    array(select a.role from role_assignment a
      left join access_group g on g.organization_id = a.organization_id and g.id = a.group_id
      where a.organization_id = p.organization_id and a.domain_id is null and a.team_id is null
        and a.created_at <= d.decided_at and (a.revoked_at is null or a.revoked_at > d.decided_at)
        and (a.expires_at is null or a.expires_at > d.decided_at)
        and (a.principal_id = p.id or g.name = any(p.groups))) as "rolesThen"
  from (select organization_id, stage, decided_at, named_by, person_id, on_behalf_of_id,
      case when person_id ~ ${ID} then person_id::uuid end as decider,
      case when coalesce(on_behalf_of_id, person_id) ~ ${ID} then coalesce(on_behalf_of_id, person_id)::uuid end as owner
    from approval_decision where organization_id = $1::uuid and approval_id = $2::uuid and round = $3::int
      and verdict = 'approved' and person_id is not null) d
  left join principal p on p.organization_id = d.organization_id and p.id = d.owner`

/**
 * Whether somebody by whose yes it is approved could not say it any more: they, or whose right they used, are deactivated, the right
 * that was lent to them was taken back before its time, or they have lost all assignments, groups and teams by which the stage named them when they said it. Roles that an identity provider
 * gives are known at a login alone, and are not lost here.
 */
export async function hasLostDecider(
  tx: TenantTransaction,
  { id, round, stages }: Pick<ApprovalRow, 'id' | 'round' | 'stages'>,
): Promise<boolean> {
  const deciders = await tx.sql<Decider>(DECIDERS, tx.actor.organizationId, id, round)
  return deciders.some(({ stage, isDeactivated, isTakenBack, now, namedBy, hasLoggedIn, rolesThen }) => {
    if (isDeactivated || isTakenBack) return true
    if (now === null) return false
    if (namedBy !== null) return !namedBy.some((name) => hasName(name, now))
    const asked = stages[stage]
    if (!asked || namesAuthority(asked, now)) return false
    return !hasLoggedIn || asked.roles.length === 0 || asked.roles.some((role) => rolesThen.includes(role))
  })
}
