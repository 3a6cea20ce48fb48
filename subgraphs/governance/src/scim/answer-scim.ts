import type { TenantTransaction } from '@tutti/prisma'
import { fail } from '@tutti/schema'
import { requireLasting } from '../access/held-until.ts'
import { lockAdministrators } from '../access/keep-an-administrator.ts'
import { openStrandedApprovals } from '../approvals/open-stranded-approvals.ts'
import { isDenial, recordRefusal } from '../audit/record-refusal.ts'
import type { DomainServices } from '../context.ts'
import { GROUP_ATTRIBUTES, isCalled, type Resource, USER_ATTRIBUTES } from './attributes.ts'
import { describeService } from './describe-service.ts'
import { findGroup, listGroups } from './find-groups.ts'
import { findUser, listUsers } from './find-users.ts'
import { editableGroup, presentGroup, readGroup } from './group-resource.ts'
import { type ListPage, readListRequest } from './list-resources.ts'
import { patchResource } from './patch-resource.ts'
import type { ScimAnswer, ScimCall } from './scim-call.ts'
import { refusalOf, ScimError } from './scim-error.ts'
import { editableUser, presentUser, readUser, type UserRow } from './user-resource.ts'
import { changeGroup, createGroup, deleteGroup } from './write-group.ts'
import { changeUser, createUser, deleteUser } from './write-user.ts'

const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

/**
 * Answers a directory that keeps the organization's people and groups by SCIM 2.0 (RFC 7643, RFC 7644). Refusals are
 * answers, and of who asks a denial on record; throws what is nobody's mistake.
 */
export async function answerScim(services: DomainServices, call: ScimCall): Promise<ScimAnswer> {
  try {
    if (!call.actor.scopes.includes('access:provision'))
      fail('FORBIDDEN', { hint: 'It needs access:provision.' })
    const [kind = '', id, ...more] = call.path.replace(/\/$/, '').split('/')
    if (more.length > 0) throw new ScimError(404, 'There is nothing here.')
    if (isCalled(kind, 'Users')) return await answerUsers(services, call, id)
    if (isCalled(kind, 'Groups')) return await answerGroups(services, call, id)
    if (call.method !== 'GET') throw new ScimError(call.method === 'POST' ? 404 : 405, 'Nobody changes that.')
    const described = describeService(kind, id, call.base)
    if (described === null) throw new ScimError(404, 'There is nothing here.')
    return ok(described)
  } catch (error) {
    if (isDenial(error, ['FORBIDDEN'])) {
      const reason = [call.path, error.message, error.hint].join(' ').trim()
      await recordRefusal(services, call.actor, error, { action: `SCIM ${call.method}`, reason })
    }
    return refusalOf(error)
  }
}

type Within = <Result>(work: (tx: TenantTransaction) => Promise<Result>) => Promise<Result>

/** One change of a directory at a time in an organization. */
const change = <Result>(
  { database }: DomainServices,
  { actor }: ScimCall,
  work: (tx: TenantTransaction) => Promise<Result>,
): Promise<Result> =>
  database.inTenant(actor, async (tx) => {
    requireLasting(actor, ['access:provision'], 'actor')
    await lockAdministrators(tx)
    return work(tx)
  })

async function answerUsers(
  services: DomainServices,
  call: ScimCall,
  id: string | undefined,
): Promise<ScimAnswer> {
  const { actor, base, method } = call
  const present = (user: UserRow) => presentUser(user, base)
  const within: Within = (work) => change(services, call, work)
  if (id === undefined) {
    if (method === 'GET')
      return listed(call, await listUsers(services, actor, readListRequest(call.query)), present)
    if (method !== 'POST') throw notAllowed()
    const wanted = readUser(bodyOf(call))
    return created(call, present(await within((tx) => createUser(tx, wanted))))
  }
  if (method === 'GET') return shown(call, present(await findUser(services, actor, id)))
  if (method === 'POST') throw notAllowed()
  const check = (before: UserRow): void => requireVersion(call, present(before))
  if (method === 'DELETE') {
    const groups = await within((tx) => deleteUser(tx, id, check))
    await openStrandedApprovals(services, actor, { principalId: id, groups })
    return { status: 204, headers: {}, body: null }
  }
  const body = bodyOf(call)
  const user = await within((tx) =>
    changeUser(tx, id, (before) => {
      check(before)
      return readUser(method === 'PUT' ? body : patchResource(USER_ATTRIBUTES, editableUser(before), body))
    }),
  )
  if (!user.active) await openStrandedApprovals(services, actor, { principalId: id })
  return shown(call, present(user))
}

async function answerGroups(
  services: DomainServices,
  call: ScimCall,
  id: string | undefined,
): Promise<ScimAnswer> {
  const { actor, base, method } = call
  const present = (group: Parameters<typeof presentGroup>[0]) => presentGroup(group, base)
  const within: Within = (work) => change(services, call, work)
  if (id === undefined) {
    if (method === 'GET')
      return listed(call, await listGroups(services, actor, readListRequest(call.query)), present)
    if (method !== 'POST') throw notAllowed()
    const wanted = readGroup(bodyOf(call))
    return created(call, present(await within((tx) => createGroup(tx, wanted))))
  }
  if (method === 'GET') return shown(call, present(await findGroup(services, actor, id)))
  if (method === 'POST') throw notAllowed()
  const groups: string[] = []
  const check = (before: Parameters<typeof presentGroup>[0]): void => {
    groups.push(before.name)
    requireVersion(call, present(before))
  }
  if (method === 'DELETE') {
    await within((tx) => deleteGroup(tx, id, check))
    await openStrandedApprovals(services, actor, { groups })
    return { status: 204, headers: {}, body: null }
  }
  const body = bodyOf(call)
  const group = await within((tx) =>
    changeGroup(tx, id, (before) => {
      check(before)
      return readGroup(method === 'PUT' ? body : patchResource(GROUP_ATTRIBUTES, editableGroup(before), body))
    }),
  )
  await openStrandedApprovals(services, actor, { groups })
  return shown(call, present(group))
}

const notAllowed = (): ScimError => new ScimError(405, 'That is not done here.')

function bodyOf({ body }: ScimCall): unknown {
  try {
    return JSON.parse(body ?? '')
  } catch {
    throw new ScimError(400, 'The body is JSON.', 'invalidSyntax')
  }
}

const versionIn = (resource: Resource): string => {
  const { meta } = resource
  return typeof meta === 'object' && meta !== null && 'version' in meta ? String(meta.version) : ''
}

/** Whether a header names a version, or any. */
const names = (header: string, version: string): boolean =>
  header.split(',').some((each) => ['*', version].includes(each.trim()))

function requireVersion({ ifMatch }: ScimCall, before: Resource): void {
  if (ifMatch !== null && !names(ifMatch, versionIn(before)))
    throw new ScimError(412, 'It was changed since: read it again.')
}

const ok = (body: Resource): ScimAnswer => ({ status: 200, headers: {}, body })

function shown(call: ScimCall, resource: Resource): ScimAnswer {
  const version = versionIn(resource)
  if (call.method === 'GET' && call.ifNoneMatch !== null && names(call.ifNoneMatch, version))
    return { status: 304, headers: { etag: version }, body: null }
  return { status: 200, headers: { etag: version }, body: selected(call, resource) }
}

const created = (call: ScimCall, resource: Resource & { id: string }): ScimAnswer => ({
  status: 201,
  headers: {
    etag: versionIn(resource),
    location: `${call.base}/${call.path.replace(/\/$/, '')}/${resource.id}`,
  },
  body: selected(call, resource),
})

function listed<Row>(
  call: ScimCall,
  { rows, total }: ListPage<Row>,
  present: (row: Row) => Resource,
): ScimAnswer {
  return ok({
    schemas: [LIST_SCHEMA],
    totalResults: total,
    startIndex: readListRequest(call.query).startIndex,
    itemsPerPage: rows.length,
    Resources: rows.map((row) => selected(call, present(row))),
  })
}

/** Only what is asked for; `id` and `schemas` always. */
function selected({ query }: ScimCall, resource: Resource): Resource {
  const wanted = namesIn(query['attributes'])
  const unwanted = namesIn(query['excludedAttributes'])
  if (wanted.length + unwanted.length === 0) return resource
  const isAmong = (list: string[], name: string): boolean => list.some((each) => isCalled(each, name))
  return Object.fromEntries(
    Object.entries(resource).filter(
      ([name]) =>
        isAmong(['id', 'schemas'], name) ||
        (wanted.length > 0 ? isAmong(wanted, name) : !isAmong(unwanted, name)),
    ),
  )
}

/** `urn:…:User:name.givenName` is asked for with all of `name`. */
const namesIn = (list: string | undefined): string[] =>
  (list ?? '').split(',').flatMap((each) => each.trim().split(':').at(-1)?.split('.')[0] || [])
