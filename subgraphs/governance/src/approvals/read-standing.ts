import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { behind } from '../access/behind.ts'
import {
  ASSIGNMENTS_EVERYWHERE,
  effectiveAccess,
  HELD_ROLES,
  type HeldRole,
} from '../access/effective-access.ts'
import type { LentAuthority, Standing } from './approval-status.ts'
import type { Given, KnownAuthority } from './names-of.ts'

interface StandingRow {
  /** Null: the actor's own. */
  delegationId: string | null
  id: string
  /** Besides those that were assigned: what a lender came with. */
  roles: string[]
  /** Everywhere. */
  assigned: { role: string; by: { id: string; credentialBy?: string[] }; at: number }[]
  groupsGiven: Record<string, Given> | null
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
const OWN = `select null::uuid as "delegationId", p.id::text as id, coalesce(p.roles, '{}') as roles, ${ASSIGNMENTS_EVERYWHERE} as assigned,
    p.groups_given as "groupsGiven", '[]'::jsonb as held, p.groups, p.team_ids as "teamIds", array[]::text[] as actions, array[]::uuid[] as "forTeamIds", array[]::text[] as "credentialBy"
  from principal p where p.organization_id = $1::uuid and p.id = $2::uuid`

// A delegator's rights are those they have now, and a deactivated one has none; the roles of one who is not kept here are
// those they came with.
const lentTo = (id: string): string => `select d.id as "delegationId", d.from_id as id,
    case when p.id is null then d.delegator_roles else coalesce(p.roles, '{}') end as roles, ${ASSIGNMENTS_EVERYWHERE} as assigned,
    p.groups_given as "groupsGiven", ${HELD_ROLES} as held,
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
    ...rolesOf(own?.roles ?? [], own?.assigned ?? [], actor.roles),
    groupsGiven: groupsGivenOf(own),
    groups: own?.groups ?? [],
    teamIds: own?.teamIds ?? [],
  }
}

const lentOf = (rows: readonly StandingRow[]): (LentAuthority & KnownAuthority)[] =>
  rows
    .filter(({ delegationId }) => delegationId !== null)
    .sort((a, b) => (String(a.delegationId) < String(b.delegationId) ? -1 : 1))
    .filter(mayDecideAtAll)
    .map((row) => ({ ...row, ...rolesOf(row.roles, row.assigned), groupsGiven: groupsGivenOf(row) }))

/** Of what is kept, what was assigned, and what the actor has now of both and by a token. */
function rolesOf(
  kept: readonly string[],
  assigned: StandingRow['assigned'],
  now: readonly string[] = kept,
): Pick<KnownAuthority, 'roles' | 'assigned' | 'rolesGiven'> {
  const byRole = Map.groupBy(
    assigned.filter(({ role }) => !kept.includes(role)),
    ({ role }) => role,
  )
  const given = ({ by, at }: StandingRow['assigned'][number]): Given => ({ by: behind(by), at })
  return {
    roles: [...new Set([...now, ...assigned.map(({ role }) => role)])],
    assigned: assigned.map(({ role }) => role),
    rolesGiven: Object.fromEntries([...byRole].map(([role, of]) => [role, of.map(given)])),
  }
}

const groupsGivenOf = (row: StandingRow | undefined): KnownAuthority['groupsGiven'] =>
  Object.fromEntries(Object.entries(row?.groupsGiven ?? {}).map(([group, given]) => [group, [given]]))

const mayDecideAtAll = ({ roles, held }: StandingRow): boolean =>
  effectiveAccess(roles, held).scopes.includes('approvals:decide')
