import type { TenantTransaction } from '@tutti/prisma'
import { keepAnAdministrator } from '../access/keep-an-administrator.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { ASSIGNMENT_IN_FORCE } from '../access/effective-access.ts'
import { lockGroup, readGroupRow } from './find-groups.ts'
import type { DirectoryGroupRow, WantedGroup } from './group-resource.ts'
import { ScimError } from './scim-error.ts'
import { IS_USER } from './user-resource.ts'

/**
 * Makes a group as a directory wants it; one of this name that has neither members nor roles becomes it. Events: group.set.
 * Audit: an execution. ScimError uniqueness, invalidValue for a member who is no user.
 */
export async function createGroup(tx: TenantTransaction, wanted: WantedGroup): Promise<DirectoryGroupRow> {
  const [made] = await tx.sql<{ id: string }>(
    `insert into access_group as g (organization_id, name, description, external_id, directory_at)
     values ($1::uuid, $2, '', $3, now())
     on conflict (organization_id, name) do update set external_id = excluded.external_id, directory_at = now(),
       updated_at = now()
     where g.directory_at is null
       and not exists (select from principal p where p.organization_id = g.organization_id and g.name = any(p.groups))
       and not exists (select from role_assignment a
         where a.organization_id = g.organization_id and a.group_id = g.id and ${ASSIGNMENT_IN_FORCE})
     returning id`,
    tx.actor.organizationId,
    wanted.displayName,
    wanted.externalId,
  )
  if (!made) throw taken(wanted)
  await requireUsers(tx, wanted.members)
  await setMembers(tx, { id: made.id, name: wanted.displayName }, { added: wanted.members, removed: [] })
  return readGroupRow(tx, made.id)
}

/**
 * Makes a group, locked until then, what a directory wants; the same again changes nothing. Events: group.set. Audit: an execution. ScimError 404,
 * uniqueness, invalidValue; INVALID_STATE when no administrator would be left.
 */
export async function changeGroup(
  tx: TenantTransaction,
  id: string,
  want: (before: DirectoryGroupRow) => WantedGroup,
): Promise<DirectoryGroupRow> {
  const before = await lockGroup(tx, id)
  const wanted = want(before)
  const was = new Set(before.members.map(({ value }) => value))
  const is = new Set(wanted.members)
  const added = [...is.difference(was)]
  const removed = [...was.difference(is)]
  const renamed = before.name !== wanted.displayName
  if (!renamed && before.externalId === wanted.externalId && added.length + removed.length === 0)
    return before
  await requireUsers(tx, added)
  if (renamed) await rename(tx, before, wanted)
  await tx.sql(
    `update access_group set external_id = $3, directory_at = now(), updated_at = now()
     where organization_id = $1::uuid and id = $2::uuid returning id`,
    tx.actor.organizationId,
    id,
    wanted.externalId,
  )
  await setMembers(tx, { id, name: wanted.displayName }, { added, removed })
  return readGroupRow(tx, id)
}

/**
 * The directory keeps a group no more: nobody is in it, and the roles it had are taken back. Events: role.unassigned,
 * group.removed. Audit: an execution. ScimError 404; INVALID_STATE when no administrator would be left.
 */
export async function deleteGroup(
  tx: TenantTransaction,
  id: string,
  check: (before: DirectoryGroupRow) => void,
): Promise<void> {
  const group = await lockGroup(tx, id)
  check(group)
  const { organizationId } = tx.actor
  const removed = group.members.map(({ value }) => value)
  await keepAnAdministrator(tx, 'input.id', async () => {
    const revoked = await tx.sql<{
      id: string
      role: string
      domainId: string | null
      teamId: string | null
    }>(
      `update role_assignment a set revoked_at = clock_timestamp()
       where a.organization_id = $1::uuid and a.group_id = $2::uuid and ${ASSIGNMENT_IN_FORCE}
       returning a.id, a.role, a.domain_id as "domainId", a.team_id as "teamId"`,
      organizationId,
      id,
    )
    for (const { id: assignmentId, ...assignment } of revoked) {
      await tx.appendEvent({
        type: 'role.unassigned',
        subject: `roleAssignment/${assignmentId}`,
        data: { assignmentId, principalId: null, groupId: id, ...assignment },
      })
    }
    await lockMembers(tx, group.name)
    await tx.sql(
      `update principal set groups = array_remove(groups, $2) where organization_id = $1::uuid and $2 = any(groups)
       returning id`,
      organizationId,
      group.name,
    )
  })
  // What it once had stays on record, and its row with it: empty, and nobody's.
  const gone = await tx.sql(
    `delete from access_group g where g.organization_id = $1::uuid and g.id = $2::uuid
       and not exists (select from role_assignment a
         where a.organization_id = g.organization_id and a.group_id = g.id) returning g.id`,
    organizationId,
    id,
  )
  if (gone.length === 0) {
    await tx.sql(
      `update access_group set directory_at = null, external_id = null, updated_at = now()
       where organization_id = $1::uuid and id = $2::uuid returning id`,
      organizationId,
      id,
    )
  }
  const data = { groupId: id, name: group.name, removed }
  await tx.appendEvent({ type: 'group.removed', subject: `group/${id}`, data })
  await writeAuditEntry(tx, {
    actionType: 'execution',
    domain: 'access',
    summary: `The directory removed the group ${group.name}.`,
    details: { context: data, outcome: 'removed' },
    significance: 'significant',
    subject: `group/${id}`,
  })
}

/** Who joins and who leaves a group, by ids. Events: group.set. Audit: an execution. */
export async function setMembers(
  tx: TenantTransaction,
  { id, name }: { id: string; name: string },
  { added, removed }: { added: readonly string[]; removed: readonly string[] },
): Promise<void> {
  const change = (text: string, ids: readonly string[]) =>
    tx.sql<{ id: string }>(text, tx.actor.organizationId, name, JSON.stringify(ids))
  await keepAnAdministrator(tx, 'input.members', async () => {
    await tx.sql(
      `select id from principal where organization_id = $1::uuid
         and id = any(array(select jsonb_array_elements_text($2::jsonb)::uuid)) order by id for no key update`,
      tx.actor.organizationId,
      JSON.stringify([...added, ...removed]),
    )
    await change(
      `update principal set groups = array_append(groups, $2) where organization_id = $1::uuid
         and id = any(array(select jsonb_array_elements_text($3::jsonb)::uuid)) and not $2 = any(groups) returning id`,
      added,
    )
    await change(
      `update principal set groups = array_remove(groups, $2) where organization_id = $1::uuid
         and id = any(array(select jsonb_array_elements_text($3::jsonb)::uuid)) and $2 = any(groups) returning id`,
      removed,
    )
  })
  const data = { groupId: id, name, added: [...added].sort(), removed: [...removed].sort() }
  await tx.appendEvent({ type: 'group.set', subject: `group/${id}`, data })
  await writeAuditEntry(tx, {
    actionType: 'execution',
    domain: 'access',
    summary: `The directory set the group ${name}.`,
    details: { context: data, outcome: `${added.length} joined, ${removed.length} left` },
    significance: 'significant',
    subject: `group/${id}`,
  })
}

const taken = ({ displayName }: WantedGroup): ScimError =>
  new ScimError(409, `There is a group ${displayName} already.`, 'uniqueness')

async function rename(
  tx: TenantTransaction,
  { id, name }: DirectoryGroupRow,
  wanted: WantedGroup,
): Promise<void> {
  const { organizationId } = tx.actor
  const others = await tx.sql(
    'select id from access_group where organization_id = $1::uuid and name = $2',
    organizationId,
    wanted.displayName,
  )
  if (others.length > 0) throw taken(wanted)
  await lockMembers(tx, name)
  await tx.sql(
    'update access_group set name = $3 where organization_id = $1::uuid and id = $2::uuid returning id',
    organizationId,
    id,
    wanted.displayName,
  )
  await tx.sql(
    `update principal set groups = array_replace(groups, $2, $3) where organization_id = $1::uuid and $2 = any(groups)
     returning id`,
    organizationId,
    name,
    wanted.displayName,
  )
}

/** In the order of their ids, as everybody who locks several. */
async function lockMembers(tx: TenantTransaction, group: string): Promise<void> {
  await tx.sql(
    `select id from principal where organization_id = $1::uuid and $2 = any(groups) order by id for no key update`,
    tx.actor.organizationId,
    group,
  )
}

/** ScimError invalidValue for one who is none. */
async function requireUsers(tx: TenantTransaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const found = await tx.sql<{ id: string }>(
    `select p.id from principal p where p.organization_id = $1::uuid and ${IS_USER}
       and p.id = any(array(select jsonb_array_elements_text($2::jsonb)::uuid)) order by p.id for no key update`,
    tx.actor.organizationId,
    JSON.stringify(ids),
  )
  const known = new Set(found.map(({ id }) => id))
  const missing = ids.filter((id) => !known.has(id))
  if (missing.length > 0)
    throw new ScimError(400, `There is no such user: ${missing.slice(0, 10).join(', ')}.`, 'invalidValue')
}
