import type { TenantTransaction } from '@tutti/prisma'
import { deactivate } from '../access/deactivate-principal.ts'
import { reactivate } from '../access/reactivate-principal.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { lockUser, readUserRow } from './find-users.ts'
import { ScimError } from './scim-error.ts'
import { emailOf, nameOf, profileOf, type UserRow, type WantedUser } from './user-resource.ts'
import { setMembers } from './write-group.ts'

/**
 * Makes somebody as a directory wants them. Who logged in before as the same, or was deleted by the directory, is them and
 * not somebody new. Events: principal.provisioned, and principal.deactivated or principal.reactivated. Audit: an execution.
 * ScimError uniqueness.
 */
export async function createUser(tx: TenantTransaction, wanted: WantedUser): Promise<UserRow> {
  const { organizationId } = tx.actor
  const userName = wanted.userName.toLowerCase()
  const found = await tx.sql<{ id: string; kept: boolean }>(
    `select p.id, p.directory_at is not null as kept from principal p
     where p.organization_id = $1::uuid and p.kind = 'person'
       and (p.user_name = $2 or (p.external_id = $3 and p.directory_at is null)) order by p.id for no key update`,
    organizationId,
    userName,
    wanted.externalId ?? null,
  )
  const [known, ...others] = found
  if (known?.kept || others.length > 0) throw taken(wanted)
  const id = known?.id ?? (await insert(tx, wanted))
  await update(tx, id, wanted)
  // Only the directory lets those of a provider that was removed log in by another.
  await tx.sql(
    `update principal p set issuer = null, subject = null
     where p.organization_id = $1::uuid and p.id = $2::uuid and not exists (select from identity_provider i
       where i.organization_id = p.organization_id and i.issuer = p.issuer) returning p.id`,
    organizationId,
    id,
  )
  await record(tx, id, wanted, true)
  await setActive(tx, id, wanted.active ?? true)
  return readUserRow(tx, id)
}

/**
 * Makes somebody what a directory wants, who are locked until then; the same again changes nothing. Whom an administrator
 * deactivated stays so. Events: as {@link createUser}. ScimError uniqueness, 404; INVALID_STATE for the last administrator.
 */
export async function changeUser(
  tx: TenantTransaction,
  id: string,
  want: (before: UserRow) => WantedUser,
): Promise<UserRow> {
  const before = await lockUser(tx, id)
  const wanted = want(before)
  const same =
    JSON.stringify(sorted(before.profile)) === JSON.stringify(sorted(profileOf(wanted))) &&
    before.externalId === (wanted.externalId ?? null)
  if (!same) {
    await update(tx, id, wanted)
    await record(tx, id, wanted, false)
  }
  if (wanted.active !== undefined) await setActive(tx, id, wanted.active)
  return readUserRow(tx, id)
}

/**
 * The directory keeps somebody no more: they are deactivated and in none of its groups, and what it said of them is gone.
 * Their record stays, and they are the same when it makes them again. Output: the names of those groups. Events:
 * principal.deactivated, group.set. ScimError 404; INVALID_STATE for the last administrator.
 */
export async function deleteUser(
  tx: TenantTransaction,
  id: string,
  check: (before: UserRow) => void,
): Promise<string[]> {
  const user = await lockUser(tx, id)
  check(user)
  await deactivate(tx, id, 'directory', 'Removed from the directory.')
  for (const { value, display } of user.groups) {
    await setMembers(tx, { id: value, name: display }, { added: [], removed: [id] })
  }
  await tx.sql(
    `update principal set directory_at = null, profile = null, email = null
     where organization_id = $1::uuid and id = $2::uuid returning id`,
    tx.actor.organizationId,
    id,
  )
  return user.groups.map(({ display }) => display)
}

const taken = ({ userName }: WantedUser): ScimError =>
  new ScimError(409, `There is a user ${userName} already.`, 'uniqueness')

async function setActive(tx: TenantTransaction, id: string, active: boolean): Promise<void> {
  if (!active) {
    await deactivate(tx, id, 'directory', null)
    return
  }
  const [out] = await tx.sql<{ by: string }>(
    `select deactivated_by as by from principal
     where organization_id = $1::uuid and id = $2::uuid and deactivated_at is not null`,
    tx.actor.organizationId,
    id,
  )
  if (out?.by === 'directory') await reactivate(tx, id, 'directory', null)
}

/** What somebody may be called, until one of them is nobody else's. */
const namesOf = (wanted: WantedUser): string[] => {
  const called = nameOf(wanted)
  return [called, `${called} (${wanted.userName})`, `${called} (${wanted.externalId ?? crypto.randomUUID()})`]
}

async function insert(tx: TenantTransaction, wanted: WantedUser): Promise<string> {
  for (const name of namesOf(wanted)) {
    const [made] = await tx.sql<{ id: string }>(
      `insert into principal (organization_id, kind, name, roles, user_name)
       values ($1::uuid, 'person', $2, '{}', $3) on conflict do nothing returning id`,
      tx.actor.organizationId,
      name,
      wanted.userName.toLowerCase(),
    )
    if (made) return made.id
  }
  throw taken(wanted)
}

async function update(tx: TenantTransaction, id: string, wanted: WantedUser): Promise<void> {
  const { organizationId } = tx.actor
  const userName = wanted.userName.toLowerCase()
  const others = await tx.sql(
    'select id from principal where organization_id = $1::uuid and user_name = $2 and id <> $3::uuid',
    organizationId,
    userName,
    id,
  )
  if (others.length > 0) throw taken(wanted)
  // By name nobody is found: whose name is taken is called something more.
  await tx.sql(
    `update principal p set user_name = $3, external_id = $4, profile = $5::jsonb, email = $6, directory_at = now(),
       name = coalesce((select n.name from jsonb_array_elements_text($7::jsonb) with ordinality as n(name, place)
         where not exists (select from principal o
           where o.organization_id = p.organization_id and o.name = n.name and o.id <> p.id)
         order by n.place limit 1), p.name)
     where p.organization_id = $1::uuid and p.id = $2::uuid returning p.id`,
    organizationId,
    id,
    userName,
    wanted.externalId ?? null,
    JSON.stringify(profileOf(wanted)),
    emailOf(wanted),
    JSON.stringify(namesOf(wanted)),
  )
}

async function record(
  tx: TenantTransaction,
  id: string,
  { userName, externalId }: WantedUser,
  created: boolean,
): Promise<void> {
  await tx.appendEvent({
    type: 'principal.provisioned',
    subject: `principal/${id}`,
    data: { principalId: id, by: 'directory', created },
  })
  await writeAuditEntry(tx, {
    actionType: 'execution',
    domain: 'access',
    summary: `The directory ${created ? 'made' : 'changed'} ${userName}.`,
    details: {
      context: { principalId: id, externalId: externalId ?? null },
      outcome: created ? 'made' : 'changed',
    },
    significance: created ? 'significant' : 'standard',
    subject: `principal/${id}`,
  })
}

/** The same whatever the order of its keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  )
}
