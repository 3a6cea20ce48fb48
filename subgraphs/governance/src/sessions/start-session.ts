import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { systemActor } from '@tutti/schema'
import { z } from 'zod'
import { knownRoles } from '../access/effective-access.ts'
import { openStrandedApprovals } from '../approvals/open-stranded-approvals.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { UNSTORABLE } from '../input/text.ts'
import type { DomainServices } from '../context.ts'
import {
  IDENTITY_PROVIDER_COLUMNS,
  type GroupMapping,
  type IdentityProviderRow,
} from './identity-provider-row.ts'
import { hashOfToken, newToken } from './session-token.ts'

/** For how long a session lasts, in hours. */
const HOURS = 8

const text = (most: number) => z.string().trim().min(1).max(most).refine(isStorable, UNSTORABLE)

const claimsSchema = z.object({
  sub: text(255),
  name: text(160).optional().catch(undefined),
  email: text(320).optional().catch(undefined),
  email_verified: z.unknown().optional(),
})

const groupsSchema = z.union([z.array(z.string()), z.string().transform((one) => [one])]).catch([])

function isStorable(value: string): boolean {
  return !value.includes('\0') && value.isWellFormed()
}

/** A session that has begun; the token is shown this once. */
export interface StartedSession {
  token: string
  expiresAt: number
}

/** Somebody who may not log in: they are deactivated. */
export interface RefusedLogin {
  refused: { id: string; name: string }
}

/**
 * Somebody has logged in: makes the principal at the first time, or finds whom the directory keeps; sets the roles and
 * groups that the provider's mapping says, and begins a session. Null when there is no such provider any more, or its claims
 * are unusable. Who set the provider gets no role or group by it that they do not have. Events: session.started, group.set for a
 * group that was joined or left, approval.escalated and escalation.opened for what too few of one that was left can decide. Audit: an execution, and a denial of what was withheld.
 */
export async function startSession(
  { database }: DomainServices,
  organizationId: string,
  providerId: string,
  given: Record<string, unknown>,
): Promise<StartedSession | RefusedLogin | null> {
  const claims = claimsSchema.safeParse(given)
  if (!claims.success || !isId(organizationId) || !isId(providerId)) return null
  const actor = systemActor(organizationId, 'login')
  let left: string[] = []
  const started = await database.inTenant(actor, async (tx) => {
    const [provider] = await tx.sql<IdentityProviderRow>(
      `select ${IDENTITY_PROVIDER_COLUMNS} from identity_provider
       where organization_id = $1::uuid and id = $2::uuid for share`,
      organizationId,
      providerId,
    )
    if (!provider) return null
    const person = await readPerson(tx, provider, claims.data, given)
    if (provider.directoryClaim !== null)
      await introduce(tx, person.id, provider.directoryClaim, claims.data, given)
    if (person.deactivated) return { refused: { id: person.id, name: person.name } }
    const claimed = new Set(groupsSchema.parse(given[provider.groupsClaim]))
    const said = [
      { claimed: '', role: provider.defaultRole },
      ...provider.mapping.filter((each) => claimed.has(each.claimed)),
    ]
    const withheld = provider.setBy.includes(person.id) ? said.filter((each) => !has(person, each)) : []
    const held = said.filter((each) => !withheld.includes(each))
    const roles = knownRoles(held.map(({ role }) => role))
    await tx.sql(
      `update principal set roles = array(select jsonb_array_elements_text($3::jsonb)),
         email = case when directory_at is null then $4 else email end
       where organization_id = $1::uuid and id = $2::uuid`,
      organizationId,
      person.id,
      JSON.stringify(roles),
      verifiedEmail(claims.data),
    )
    const groups = await setGroups(tx, person, provider.mapping, held)
    left = person.groups.filter((group) => !groups.includes(group))
    const token = newToken()
    const [session] = await tx.sql<{ id: string; expiresAt: Date }>(
      `insert into session (organization_id, principal_id, provider_id, hash, expires_at)
       values ($1::uuid, $2::uuid, $3::uuid, $4, clock_timestamp() + interval '${HOURS} hours')
       returning id, expires_at as "expiresAt"`,
      organizationId,
      person.id,
      providerId,
      hashOfToken(token),
    )
    if (!session) return null
    await tx.sql(
      `delete from session where organization_id = $1::uuid and principal_id = $2::uuid
         and expires_at < now() - interval '30 days'`,
      organizationId,
      person.id,
    )
    const data = { sessionId: session.id, principalId: person.id, providerId, roles, groups }
    await tx.appendEvent({ type: 'session.started', subject: `session/${session.id}`, data })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `${person.name} logged in.`,
      details: { context: { ...data, issuer: provider.issuer }, outcome: 'logged in' },
      onBehalfOf: { id: person.id, kind: 'person' },
      subject: `session/${session.id}`,
    })
    if (withheld.length > 0) await recordWithheld(tx, person, provider, withheld)
    return { token, expiresAt: session.expiresAt.getTime() }
  })
  if (left.length > 0) await openStrandedApprovals({ database }, actor, { groups: left })
  return started
}

/** Whether they have the role or group themselves, before they log in. */
const has = ({ roles, groups }: Person, { role, group }: GroupMapping): boolean =>
  (role == null || roles.includes(role)) && (group == null || groups.includes(group))

/** Nobody gives themselves a group or role: neither by what they say of a provider's groups. */
async function recordWithheld(
  tx: TenantTransaction,
  person: Person,
  { id, issuer }: IdentityProviderRow,
  withheld: readonly GroupMapping[],
): Promise<void> {
  const roles = withheld.flatMap(({ role }) => role ?? [])
  const groups = withheld.flatMap(({ group }) => group ?? [])
  await writeAuditEntry(tx, {
    actionType: 'denial',
    domain: 'access',
    summary: `${person.name} logged in without what they would have given themselves.`,
    details: {
      context: { principalId: person.id, providerId: id, issuer, roles, groups },
      decision: 'denied',
      reasoning: 'Who set the identity provider gets nothing by it until somebody else has set it.',
      outcome: 'SEPARATION_OF_DUTIES',
    },
    significance: 'significant',
    onBehalfOf: { id: person.id, kind: 'person' },
    subject: 'operation/Login',
  })
}

interface Person {
  id: string
  name: string
  roles: string[]
  groups: string[]
  deactivated: boolean
}

/** Whoever that subject of the issuer is; locked. Nobody gets somebody else's principal by bearing the same name. */
async function readPerson(
  tx: TenantTransaction,
  { issuer, directoryClaim }: IdentityProviderRow,
  { sub, name, email, email_verified }: z.infer<typeof claimsSchema>,
  given: Record<string, unknown>,
): Promise<Person> {
  const { organizationId } = tx.actor
  const read = async (): Promise<Person | undefined> => {
    const [person] = await tx.sql<Person>(
      `select id, name, roles, groups, deactivated_at is not null as deactivated from principal
       where organization_id = $1::uuid and issuer = $2 and subject = $3 for update`,
      organizationId,
      issuer,
      sub,
    )
    return person
  }
  const known = await read()
  if (known) return known
  if (directoryClaim !== null) {
    await claimEntry(tx, issuer, sub, entryOf(directoryClaim, { email, email_verified }, given))
    const claimed = await read()
    if (claimed) return claimed
  }
  const called = name ?? email ?? sub
  const names = [
    called,
    `${called} (${email ?? sub})`,
    `${called} (${sub})`,
    `${called} (${sub} at ${issuer})`,
  ]
  for (const each of names) {
    // Taken by another name, or by this very person a moment ago in another request: either way nothing is written.
    await tx.sql(
      `insert into principal (organization_id, kind, name, email, roles, issuer, subject)
       values ($1::uuid, 'person', $2, $3, '{}', $4, $5) on conflict do nothing`,
      organizationId,
      each,
      verifiedEmail({ email, email_verified }),
      issuer,
      sub,
    )
    const made = await read()
    if (made) return made
  }
  throw new Error('A person who logs in has no name that is free.')
}

/** By what a directory that speaks of the same people knows somebody. */
interface Entry {
  externalId: string | null
  /** In small letters. */
  userName: string | null
}

type EmailClaims = Pick<z.infer<typeof claimsSchema>, 'email' | 'email_verified'>

/** An address for which the provider vouches that it is theirs: links to decide may go there. */
const verifiedEmail = ({ email, email_verified }: EmailClaims): string | null =>
  email !== undefined && email_verified === true ? email : null

function entryOf(
  directoryClaim: string,
  { email, email_verified }: EmailClaims,
  given: Record<string, unknown>,
): Entry {
  const externalId = given[directoryClaim]
  return {
    externalId: typeof externalId === 'string' && isStorable(externalId) ? externalId : null,
    userName: verifiedEmail({ email, email_verified })?.toLowerCase() ?? null,
  }
}

/** So that a directory that makes somebody later finds whoever has logged in already. */
async function introduce(
  tx: TenantTransaction,
  id: string,
  directoryClaim: string,
  claims: z.infer<typeof claimsSchema>,
  given: Record<string, unknown>,
): Promise<void> {
  const { externalId, userName } = entryOf(directoryClaim, claims, given)
  await tx.sql(
    `update principal p set external_id = coalesce(p.external_id, (select $3::text where not exists (select from principal o
         where o.organization_id = p.organization_id and o.external_id = $3))), user_name = coalesce(p.user_name,
       (select $4::text where not exists (select from principal o
         where o.organization_id = p.organization_id and o.user_name = $4)))
     where p.organization_id = $1::uuid and p.id = $2::uuid and p.directory_at is null returning p.id`,
    tx.actor.organizationId,
    id,
    externalId,
    userName,
  )
}

/**
 * Makes whom the directory keeps the one who logs in as that subject: who has the external id, else who has the user name;
 * one alone, and nobody who has logged in: who sets up a provider in the place of a removed one gets none of its people.
 */
async function claimEntry(
  tx: TenantTransaction,
  issuer: string,
  sub: string,
  { externalId, userName }: Entry,
): Promise<void> {
  const { organizationId } = tx.actor
  const found = await tx.sql<{ id: string; byId: boolean; free: boolean }>(
    `select id, external_id is not distinct from $2 as "byId",
       issuer is null as free
     from principal p where organization_id = $1::uuid and directory_at is not null and kind = 'person'
       and (external_id = $2 or user_name = $3) order by id for no key update`,
    organizationId,
    externalId,
    userName,
  )
  const byId = found.filter((each) => externalId !== null && each.byId)
  const [entry, ...others] = byId.length > 0 ? byId : found
  if (!entry?.free || others.length > 0) return
  await tx.sql(
    `update principal set issuer = $3, subject = $4
     where organization_id = $1::uuid and id = $2::uuid returning id`,
    organizationId,
    entry.id,
    issuer,
    sub,
  )
}

/** Of the groups that the mapping speaks of, the person is in those it says, and in no other. Answers with all of them. */
async function setGroups(
  tx: TenantTransaction,
  person: Person,
  mapping: readonly GroupMapping[],
  held: readonly GroupMapping[],
): Promise<string[]> {
  const namesOf = (some: readonly GroupMapping[]): string[] => [
    ...new Set(some.flatMap(({ group }) => group ?? [])),
  ]
  const known = await tx.sql<{ id: string; name: string }>(
    `select id, name from access_group
     where organization_id = $1::uuid and $2::jsonb ? name and directory_at is null order by name`,
    tx.actor.organizationId,
    JSON.stringify(namesOf(mapping)),
  )
  const wanted = namesOf(held)
  const groups = new Set(person.groups)
  for (const { id, name } of known) {
    const joins = wanted.includes(name)
    if (joins === groups.has(name)) continue
    if (joins) groups.add(name)
    else groups.delete(name)
    await tx.appendEvent({
      type: 'group.set',
      subject: `group/${id}`,
      data: { groupId: id, name, added: joins ? [person.id] : [], removed: joins ? [] : [person.id] },
    })
  }
  const all = [...groups].sort()
  await tx.sql(
    `update principal set groups = array(select jsonb_array_elements_text($3::jsonb))
     where organization_id = $1::uuid and id = $2::uuid`,
    tx.actor.organizationId,
    person.id,
    JSON.stringify(all),
  )
  return all
}
