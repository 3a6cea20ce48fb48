import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import {
  ASSIGNED_EVERYWHERE,
  effectiveAccess,
  HELD_ROLES,
  type HeldRole,
  ROLES_EVERYWHERE,
} from '../access/effective-access.ts'
import type { Standing } from './approval-status.ts'

interface StandingRow {
  /** Null: the actor's own. */
  delegationId: string | null
  id: string
  roles: string[]
  /** What was assigned to a lender, with what it grants; none of the actor's own. */
  held: HeldRole[]
  groups: string[]
  teamIds: string[]
  actions: string[]
  forTeamIds: string[]
}

/** Runs a statement: within an operation's transaction, or alone. */
type Read = (text: string, parameters: unknown[]) => Promise<StandingRow[]>

// A delegator's rights are those they have now, and a deactivated one has none; the roles of one who is not kept here are
// those they came with.
// An actor's credential has built-in roles; those of the organization's own are assigned to its principal.
const STANDING = `select null::uuid as "delegationId", p.id::text as id, ${ASSIGNED_EVERYWHERE} as roles, '[]'::jsonb as held, p.groups,
    p.team_ids as "teamIds", array[]::text[] as actions, array[]::uuid[] as "forTeamIds"
  from principal p where p.organization_id = $1::uuid and p.id = $2::uuid
  union all
  select d.id, d.from_id, case when p.id is null then d.delegator_roles else ${ROLES_EVERYWHERE} end, ${HELD_ROLES},
    coalesce(p.groups, array[]::text[]), coalesce(p.team_ids, array[]::uuid[]), d.actions, d.team_ids
  from approval_delegation d left join principal p on p.organization_id = d.organization_id and p.id::text = d.from_id
  where d.organization_id = $1::uuid and d.to_id = $3 and d.ended_at is null and p.deactivated_at is null
    and d.starts_at <= clock_timestamp() and d.ends_at > clock_timestamp()`

/**
 * By what an actor may decide at this moment: their roles, groups and teams, and the rights that others lent them. A right
 * that was lent to a lender is not lent on: each is one step from its owner.
 */
export async function readStanding(read: Read, actor: Actor): Promise<Standing> {
  const rows = await read(STANDING, [actor.organizationId, isId(actor.id) ? actor.id : null, actor.id])
  const own = rows.find(({ delegationId }) => delegationId === null)
  return {
    own: {
      id: actor.id,
      roles: [...new Set<string>([...actor.roles, ...(own?.roles ?? [])])],
      groups: own?.groups ?? [],
      teamIds: own?.teamIds ?? [],
    },
    lent: rows
      .filter(({ delegationId }) => delegationId !== null)
      .sort((a, b) => (String(a.delegationId) < String(b.delegationId) ? -1 : 1))
      .filter(mayDecideAtAll),
  }
}

const mayDecideAtAll = ({ roles, held }: StandingRow): boolean =>
  effectiveAccess(roles, held).scopes.includes('approvals:decide')
