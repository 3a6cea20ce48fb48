import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import {
  ASSIGNED_EVERYWHERE,
  effectiveAccess,
  HELD_ROLES,
  type HeldRole,
  ROLES_EVERYWHERE,
} from '../access/effective-access.ts'
import type { LentAuthority, Standing } from './approval-status.ts'
import type { KnownAuthority } from './names-of.ts'

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
  credentialBy: string[]
}

/** Runs a statement: within an operation's transaction, or alone. */
type Read = (text: string, parameters: unknown[]) => Promise<StandingRow[]>

// An actor's credential has built-in roles; those of the organization's own are assigned to its principal.
const OWN = `select null::uuid as "delegationId", p.id::text as id, ${ASSIGNED_EVERYWHERE} as roles, '[]'::jsonb as held, p.groups,
    p.team_ids as "teamIds", array[]::text[] as actions, array[]::uuid[] as "forTeamIds", array[]::text[] as "credentialBy"
  from principal p where p.organization_id = $1::uuid and p.id = $2::uuid`

// A delegator's rights are those they have now, and a deactivated one has none; the roles of one who is not kept here are
// those they came with.
const lentTo = (id: string): string => `select d.id as "delegationId", d.from_id as id,
    case when p.id is null then d.delegator_roles else ${ROLES_EVERYWHERE} end as roles, ${HELD_ROLES} as held,
    coalesce(p.groups, array[]::text[]) as groups, coalesce(p.team_ids, array[]::uuid[]) as "teamIds", d.actions,
    d.team_ids as "forTeamIds", d.credential_by as "credentialBy"
  from approval_delegation d left join principal p on p.organization_id = d.organization_id and p.id::text = d.from_id
  where d.organization_id = $1::uuid and d.to_id = ${id} and d.ended_at is null and p.deactivated_at is null
    and d.starts_at <= clock_timestamp() and d.ends_at > clock_timestamp()`

const LENT = lentTo('$2')
const STANDING = `${OWN} union all ${lentTo('$3')}`

const principalId = ({ id }: Actor): string | null => (isId(id) ? id : null)

/**
 * By what an actor may decide at this moment: their roles, groups and teams, and the rights that others lent them. A right
 * that was lent to a lender is not lent on: each is one step from its owner.
 */
export async function readStanding(read: Read, actor: Actor): Promise<Standing> {
  const rows = await read(STANDING, [actor.organizationId, principalId(actor), actor.id])
  return { own: ownOf(rows, actor), lent: lentOf(rows) }
}

/** The actor's own part of {@link readStanding}, at a third of the cost of all. */
export async function readOwn(read: Read, actor: Actor): Promise<KnownAuthority> {
  return ownOf(await read(OWN, [actor.organizationId, principalId(actor)]), actor)
}

/** The rights that others lent the actor: the other part of {@link readStanding}. */
export async function readLent(read: Read, actor: Actor): Promise<(LentAuthority & KnownAuthority)[]> {
  return lentOf(await read(LENT, [actor.organizationId, actor.id]))
}

function ownOf(rows: readonly StandingRow[], actor: Actor): KnownAuthority {
  const own = rows.find(({ delegationId }) => delegationId === null)
  return {
    id: actor.id,
    roles: [...new Set<string>([...actor.roles, ...(own?.roles ?? [])])],
    assigned: own?.roles ?? [],
    groups: own?.groups ?? [],
    teamIds: own?.teamIds ?? [],
  }
}

const lentOf = (rows: readonly StandingRow[]): (LentAuthority & KnownAuthority)[] =>
  rows
    .filter(({ delegationId }) => delegationId !== null)
    .sort((a, b) => (String(a.delegationId) < String(b.delegationId) ? -1 : 1))
    .filter(mayDecideAtAll)
    .map((row) => ({ ...row, assigned: everywhereOf(row.held) }))

const everywhereOf = (held: readonly HeldRole[]): string[] =>
  held.filter(({ domainId, teamId }) => domainId === null && teamId === null).map(({ role }) => role)

const mayDecideAtAll = ({ roles, held }: StandingRow): boolean =>
  effectiveAccess(roles, held).scopes.includes('approvals:decide')
