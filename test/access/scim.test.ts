import { afterAll, beforeAll, expect, test } from 'vitest'
import { openCaller } from '../world/caller.ts'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { openBrowser } from './browser.ts'
import { type IdentityProvider, startIdentityProvider } from './identity-provider.ts'

let world: World
let org: Organization
let idp: IdentityProvider
let key: string

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

const mutate = (
  name: string,
  input: object,
  selection: string,
): Promise<Record<string, Record<string, unknown>>> =>
  org
    .as('admin')
    .query(
      `mutation($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selection} } }`,
      { input },
    )

beforeAll(async () => {
  world = await startWorld()
  org = await world.organization()
  idp = await startIdentityProvider(world.url, { sub: 'nobody', name: 'nobody', groups: [] })
  const { createApiKey } = await mutate(
    'createApiKey',
    { principalName: 'directory', kind: 'integration', roles: ['admin'], scopes: ['access:provision'] },
    'secret',
  )
  key = String(createApiKey?.['secret'])
  const provider = { issuer: idp.issuer, clientId: idp.clientId, clientSecret: idp.clientSecret }
  await mutate('setIdentityProvider', { ...provider, directoryClaim: 'sub' }, 'identityProvider { id }')
  const { identityProviders } = await org
    .as('admin')
    .query<{ identityProviders: { redirectPath: string }[] }>('{ identityProviders { redirectPath } }')
  for (const { redirectPath } of identityProviders) idp.register(redirectPath)
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await idp[Symbol.asyncDispose]()
})

/** What is read of SCIM's answers; what else there is the tests compare. */
interface ScimBody {
  id: string
  userName: string
  displayName: string
  endpoint: string
  title: string
  detail: string
  status: string
  scimType: string
  active: boolean
  totalResults: number
  members: { value: string }[]
  groups: object[]
  Resources: ScimBody[]
}

interface ScimResponse {
  status: number
  headers: Headers
  body: ScimBody
}

async function scim(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ScimResponse> {
  const response = await fetch(`${world.url}/scim/v2/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/scim+json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
}
const patch = (path: string, ...Operations: object[]) => scim('PATCH', path, { schemas: [PATCH], Operations })
const find = (kind: string, filter: string, more = '') =>
  scim('GET', `${kind}?filter=${encodeURIComponent(filter)}${more}`)
const names = ({ body }: ScimResponse): string[] =>
  body.Resources.map(({ userName, displayName }) => userName ?? displayName)
async function made(userName: string, more: object = {}): Promise<string> {
  const { status, body } = await scim('POST', 'Users', { schemas: [USER], userName, ...more })
  expect([status, body.scimType]).toEqual([201, undefined])
  return body.id
}
/** Whether an administrator sees somebody as active; null: there is nobody of that id. */
const review = async (id: string) => {
  const { accessReview } = await org
    .as('admin')
    .query<{ accessReview: { nodes: { principal: { id: string } }[] } }>(
      `{ accessReview(first: 100) { nodes {
      principal { id name active deactivatedBy } scopes login { subject lastLoginAt } sessions { issuer }
      directory { userName externalId } grants { groupName role } } } }`,
    )
  return accessReview.nodes.find((each) => each.principal.id === id) ?? null
}
async function logIn(sub: string): Promise<{ id: string; name: string; scopes: string[] } | string> {
  idp.next = { sub, name: sub, groups: [] }
  const browser = openBrowser()
  const page = await browser.get(`${world.url}/auth/login?organization=${org.id}&return=/health`)
  if (page.status !== 200) return JSON.parse(page.text).errors[0].extensions.code
  const answer = await browser.post(
    `${world.url}/graphql`,
    { 'content-type': 'application/json' },
    JSON.stringify({ query: '{ viewer { id name scopes } }' }),
  )
  return JSON.parse(answer.text).data.viewer
}

test('who may not provision is refused in SCIM’s words, and whom we know is on record', async () => {
  const nobody = await scim('GET', 'Users', undefined, { authorization: '' })
  expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="scim"'])
  expect(nobody.body).toMatchObject({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: '401',
  })
  const viewer = { authorization: `Bearer ${org.as('viewer').key}` }
  const refused = await scim('POST', 'Users', { userName: 'x' }, viewer)
  expect([refused.status, refused.headers.get('content-type')]).toEqual([
    403,
    'application/scim+json; charset=utf-8',
  ])
  const { auditEntries } = await org
    .as('admin')
    .query<{ auditEntries: { nodes: object[] } }>(
      `{ auditEntries(first: 5, actionType: "denial", subject: "operation/SCIM POST") { nodes { actorId outcome } } }`,
    )
  expect(auditEntries.nodes).toEqual([{ actorId: org.actor('viewer').id, outcome: 'FORBIDDEN' }])
  // The key opens that alone.
  const graph = openCaller(world.url, key)
  expect((await graph.send('{ groups { id } }')).status).toBe(403)
  await graph.close()
})

test('a directory learns what is offered', async () => {
  const [config, types, schemas, schema] = await Promise.all(
    ['ServiceProviderConfig', 'ResourceTypes', 'Schemas', `Schemas/${USER}`].map((path) => scim('GET', path)),
  )
  expect(config?.body).toMatchObject({
    patch: { supported: true },
    filter: { supported: true },
    bulk: { supported: false },
  })
  expect(types?.body.Resources.map(({ endpoint }) => endpoint)).toEqual(['/Users', '/Groups'])
  expect(schemas?.body.totalResults).toBe(2)
  expect(schema?.body).toMatchObject({ id: USER, name: 'User' })
  expect((await scim('GET', 'Schemas/none')).status).toBe(404)
  expect((await scim('GET', 'Elsewhere')).status).toBe(404)
})

test('as Okta does: asks by name, makes, reads, replaces, deactivates by replacing without a path', async () => {
  expect(
    (await find('Users', 'userName eq "isaac@okta.example"', '&startIndex=1&count=100')).body,
  ).toMatchObject({
    totalResults: 0,
    startIndex: 1,
    itemsPerPage: 0,
    Resources: [],
  })
  const isaac = {
    schemas: [USER],
    userName: 'Isaac@okta.example',
    name: { givenName: 'Isaac', familyName: 'Brock' },
    emails: [{ primary: true, value: 'isaac@okta.example', type: 'work' }],
    displayName: 'Isaac Brock',
    locale: 'en-US',
    externalId: '00ujl29u0le5T6Aj10h7',
    groups: [],
    password: '1mz050nq',
    active: true,
  }
  const created = await scim('POST', 'Users', isaac)
  const id = created.body.id
  const location = `${world.url}/scim/v2/Users/${id}`
  expect([created.status, created.headers.get('location')]).toEqual([201, location])
  const { password: _, locale: __, ...kept } = isaac
  expect(created.body).toMatchObject({ ...kept, id, meta: { resourceType: 'User', location } })
  expect(JSON.stringify(created.body)).not.toContain('1mz050nq')
  expect((await scim('POST', 'Users', isaac)).body).toMatchObject({ status: '409', scimType: 'uniqueness' })
  expect(names(await find('Users', 'userName eq "ISAAC@okta.example"'))).toEqual(['Isaac@okta.example'])

  const read = await scim('GET', `Users/${id}`)
  expect(read.body).toEqual(created.body)
  const etag = String(read.headers.get('etag'))
  expect((await scim('GET', `Users/${id}`, undefined, { 'if-none-match': etag })).status).toBe(304)
  const renamed = { ...isaac, displayName: 'Isaac B.', title: 'Colonel' }
  expect((await scim('PUT', `Users/${id}`, renamed, { 'if-match': 'W/"another"' })).status).toBe(412)
  const replaced = await scim('PUT', `Users/${id}`, renamed, { 'if-match': etag })
  expect([replaced.status, replaced.body.title, replaced.headers.get('etag') === etag]).toEqual([
    200,
    'Colonel',
    false,
  ])
  expect(await review(id)).toMatchObject({
    principal: { name: 'Isaac B.', active: true },
    directory: { userName: 'isaac@okta.example', externalId: '00ujl29u0le5T6Aj10h7' },
    login: null,
    scopes: [],
  })
  const off = await patch(`Users/${id}`, { op: 'replace', value: { active: false } })
  expect([off.status, off.body.active]).toEqual([200, false])
  expect(await review(id)).toMatchObject({ principal: { active: false, deactivatedBy: 'directory' } })
  expect((await patch(`Users/${id}`, { op: 'replace', value: { active: true } })).body.active).toBe(true)
})

test('as Entra does: words for truth, filters in paths, dots in keys, groups filled one by one', async () => {
  const id = await made('mary@entra.example', {
    schemas: [USER, ENTERPRISE],
    externalId: 'mary',
    active: 'True',
    [ENTERPRISE]: { department: 'Sales' },
  })
  const changed = await patch(
    `Users/${id}`,
    { op: 'Add', path: 'emails[type eq "work"].value', value: 'mary@work.example' },
    { op: 'Add', path: 'emails[type eq "work"].primary', value: 'True' },
    { op: 'Replace', path: 'name.givenName', value: 'Mary' },
    { op: 'Add', path: `${ENTERPRISE}:manager`, value: '1' },
    { op: 'Add', path: 'addresses[type eq "work"].country', value: 'NZ' },
    {
      op: 'Replace',
      value: { displayName: 'Mary M.', 'name.familyName': 'Mallon', [`${USER}:title`]: 'Cook' },
    },
  )
  expect([changed.status, changed.body.detail]).toEqual([200, undefined])
  expect(changed.body).toMatchObject({
    displayName: 'Mary M.',
    name: { givenName: 'Mary', familyName: 'Mallon' },
    title: 'Cook',
    emails: [{ type: 'work', value: 'mary@work.example', primary: true }],
    active: true,
  })
  expect(
    names(await find('Users', 'emails[type eq "work" and value co "@WORK"] and active eq true')),
  ).toEqual(['mary@entra.example'])
  expect((await find('Users', 'externalId eq "Mary"')).body.totalResults).toBe(0)

  const other = await made('nell@entra.example')
  const group = await scim('POST', 'Groups', {
    schemas: [GROUP],
    displayName: 'Operators',
    externalId: 'g1',
    members: [],
  })
  expect([group.status, group.body.members]).toEqual([201, []])
  const at = `Groups/${group.body.id}`
  expect((await scim('POST', 'Groups', { displayName: 'Operators' })).body).toMatchObject({
    scimType: 'uniqueness',
  })
  await mutate(
    'assignRole',
    { role: 'operator', groupId: group.body.id, reason: 'works here' },
    'assignment { id }',
  )
  const joined = await patch(at, { op: 'Add', path: 'members', value: [{ value: id }, { value: other }] })
  expect(joined.body.members.map(({ value }) => value)).toEqual([id, other])
  expect((await scim('GET', `${at}?excludedAttributes=members`)).body).not.toHaveProperty('members')
  expect(names(await find('Groups', `displayName eq "operators" and members eq "${id}"`))).toEqual([
    'Operators',
  ])
  expect(await review(id)).toMatchObject({ grants: [{ groupName: 'Operators', role: 'operator' }] })
  expect((await scim('GET', `Users/${id}`)).body.groups).toMatchObject([{ display: 'Operators' }])
  // Azure's way, and RFC 7644's.
  await patch(at, { op: 'Remove', path: 'members', value: [{ value: other }] })
  const left = await patch(at, { op: 'remove', path: `members[value eq "${id}"]` })
  expect(left.body.members).toEqual([])
  await patch(
    at,
    { op: 'Replace', path: 'displayName', value: 'Staff' },
    { op: 'add', path: 'members', value: { value: id } },
  )
  expect(await review(id)).toMatchObject({
    scopes: expect.arrayContaining(['runs:start']),
    grants: [{ groupName: 'Staff' }],
  })
  const byHand = await org
    .as('admin')
    .send('mutation($input: SetGroupInput!) { setGroup(input: $input) { group { id } } }', {
      input: { name: 'Staff', memberIds: [] },
    })
  expect(byHand.body.errors?.[0]?.extensions?.['code']).toBe('INVALID_STATE')
  expect((await scim('DELETE', at)).status).toBe(204)
  expect((await scim('GET', at)).status).toBe(404)
  expect(await review(id)).toMatchObject({ scopes: [], grants: [] })
  expect((await scim('POST', 'Groups', { displayName: 'Staff', members: [{ value: id }] })).status).toBe(201)
  expect(await review(id)).toMatchObject({ scopes: [], grants: [] })
})

test('whom the directory made is who logs in: by the claim, or by the verified address; and the other way round', async () => {
  const ada = await made('ada.l@example.org', { externalId: 'ada' })
  expect(await logIn('ada')).toMatchObject({ id: ada })
  // The provider says addresses without saying that it has verified them.
  const bob = await made('bob@example.com')
  expect(await logIn('bob')).not.toMatchObject({ id: bob })
  idp.verifies = true
  const cleo = await made('Cleo@Example.com')
  expect(await logIn('cleo')).toMatchObject({ id: cleo })
  const dora = await logIn('dora')
  expect((await find('Users', 'userName eq "dora@example.com"')).body.Resources).toMatchObject([
    { id: Object(dora).id },
  ])
  expect(await made('dora@example.com', { displayName: 'Dora', externalId: 'dora' })).toBe(Object(dora).id)
  expect(await review(ada)).toMatchObject({
    login: { subject: 'ada', lastLoginAt: expect.any(String) },
    sessions: [{ issuer: idp.issuer }],
    directory: { userName: 'ada.l@example.org' },
  })
  // Who has it from another subject keeps it.
  await patch(`Users/${cleo}`, { op: 'replace', path: 'externalId', value: 'ada-2' })
  expect(await logIn('ada-2')).not.toMatchObject({ id: cleo })
})

test('a deleted user is out and gone for the directory, with their record kept; made again they are the same', async () => {
  const id = await made('eve@example.com', { externalId: 'eve', title: 'Clerk' })
  expect(await logIn('eve')).toMatchObject({ id })
  const { body } = await scim('POST', 'Groups', { displayName: 'Clerks', members: [{ value: id }] })
  expect((await scim('DELETE', `Users/${id}`)).status).toBe(204)
  expect((await scim('GET', `Users/${id}`)).status).toBe(404)
  expect((await scim('DELETE', `Users/${id}`)).status).toBe(404)
  expect((await find('Users', 'userName eq "eve@example.com"')).body.totalResults).toBe(0)
  expect((await scim('GET', `Groups/${body.id}`)).body.members).toEqual([])
  expect(await review(id)).toMatchObject({ principal: { active: false }, sessions: [], directory: null })
  expect(await logIn('eve')).toBe('FORBIDDEN')
  expect(await made('eve@example.com', { externalId: 'eve' })).toBe(id)
  expect(await logIn('eve')).toMatchObject({ id })
  // What an administrator did no directory undoes.
  await mutate('deactivatePrincipal', { id }, 'sessionsEnded')
  expect((await patch(`Users/${id}`, { op: 'replace', value: { active: true } })).body.active).toBe(false)
  expect(await logIn('eve')).toBe('FORBIDDEN')
})

test('lists are pages, by filters of every kind; what is no filter is said to be none', async () => {
  for (const n of [1, 2, 3]) await made(`page${n}@pages.example`, { title: n === 2 ? 'Two' : 'Other' })
  const pages = 'userName sw "page" and userName ew "@pages.example"'
  const all = ['page1', 'page2', 'page3'].map((name) => `${name}@pages.example`)
  expect(names(await find('Users', pages))).toEqual(all)
  const page = await find('Users', pages, '&startIndex=2&count=1&attributes=userName')
  expect(page.body).toMatchObject({ totalResults: 3, startIndex: 2, itemsPerPage: 1 })
  expect(Object.keys(page.body.Resources[0] ?? {})).toEqual(['schemas', 'id', 'userName'])
  expect((await find('Users', pages, '&count=0')).body).toMatchObject({ totalResults: 3, Resources: [] })
  const among = async (filter: string) => names(await find('Users', `${pages} and (${filter})`))
  expect(await among('title eq "two" or userName eq "page3@pages.example"')).toEqual(all.slice(1))
  expect(await among('not (title eq "two")')).toEqual([all[0], all[2]])
  expect(await among('title ne "two"')).toEqual([all[0], all[2]])
  expect(await among('title gt "other"')).toEqual([all[1]])
  expect(await among('name.familyName pr')).toEqual([])
  expect(await among('not (name.familyName eq "x")')).toEqual(all)
  expect(await among('meta.created gt "2020-01-01T00:00:00Z" and active eq "True"')).toEqual(all)
  expect(await among(`title co "%" or ${USER}:userName eq "' or 1=1 --"`)).toEqual([])
  const wrong = [
    'userName',
    'userName eq',
    'password eq "x"',
    'active gt true',
    'userName eq 1',
    '(((',
    'title co "a" and',
  ]
  const answers = await Promise.all(wrong.map((filter) => find('Users', filter)))
  expect(answers.map(({ status, body }) => [status, body.scimType])).toEqual(
    wrong.map(() => [400, 'invalidFilter']),
  )
})

test('mistakes are said in SCIM’s words, and nothing of them is done', async () => {
  const id = await made('mia@example.com')
  const group = await scim('POST', 'Groups', { displayName: 'Empty' })
  const said = async (answer: Promise<ScimResponse>) => {
    const { status, body } = await answer
    expect(body.status).toBe(String(status))
    return [status, body.scimType]
  }
  const users = `Users/${id}`
  expect(await said(scim('POST', 'Users', '{'))).toEqual([400, 'invalidSyntax'])
  expect(await said(scim('POST', 'Users', { displayName: 'x' }))).toEqual([400, 'invalidValue'])
  expect(await said(patch(users, { op: 'remove' }))).toEqual([400, 'noTarget'])
  expect(await said(patch(users, { op: 'swap', path: 'title' }))).toEqual([400, 'invalidSyntax'])
  expect(await said(patch(users, { op: 'replace', path: 'a b', value: 1 }))).toEqual([400, 'invalidPath'])
  expect(await said(patch(users, { op: 'replace', path: 'id', value: 'x' }))).toEqual([400, 'mutability'])
  expect(await said(patch(users, { op: 'replace', path: 'active', value: 'perhaps' }))).toEqual([
    400,
    'invalidValue',
  ])
  expect(await said(patch(users, { op: 'remove', path: 'userName' }))).toEqual([400, 'invalidValue'])
  expect(await said(scim('POST', users))).toEqual([405, undefined])
  expect(await said(scim('GET', 'Users?count=many'))).toEqual([400, 'invalidValue'])
  expect(await said(scim('POST', 'Users', 'x'.repeat(1024 * 1024 + 1)))).toEqual([413, undefined])
  const admin = { op: 'add', path: 'members', value: [{ value: org.actor('admin').id }] }
  expect(await said(patch(`Groups/${group.body.id}`, admin))).toEqual([400, 'invalidValue'])
  expect(await said(scim('DELETE', `Users/${org.actor('admin').id}`))).toEqual([404, undefined])
  // A group that an administrator made is not the directory's.
  await mutate('setGroup', { name: 'theirs', memberIds: [org.actor('viewer').id] }, 'group { id }')
  expect(await said(scim('POST', 'Groups', { displayName: 'theirs' }))).toEqual([409, 'uniqueness'])
  const other = await world.organization()
  const { createApiKey } = await other.as('admin').query<{ createApiKey: { secret: string } }>(
    `mutation { createApiKey(input: { principalName: "directory", roles: ["admin"], scopes: ["access:provision"] }) {
      secret } }`,
  )
  const theirs = { authorization: `Bearer ${createApiKey.secret}` }
  expect(await said(scim('GET', users, undefined, theirs))).toEqual([404, undefined])
  expect((await scim('GET', 'Users', undefined, theirs)).body.totalResults).toBe(0)
  expect((await scim('GET', users)).body).toMatchObject({ userName: 'mia@example.com', active: true })
})

test('what a directory did is on record: each change once, and what changed nothing not at all', async () => {
  const id = await made('rec@example.com')
  const same = { schemas: [USER], userName: 'rec@example.com' }
  await scim('PUT', `Users/${id}`, same)
  await scim('PUT', `Users/${id}`, { ...same, title: 'x' })
  await scim('PUT', `Users/${id}`, { ...same, title: 'x', active: false })
  const { auditEntries } = await org
    .as('admin')
    .query<{ auditEntries: { nodes: { summary: string }[] } }>(
      `{ auditEntries(first: 20, subject: "principal/${id}") { nodes { summary } } }`,
    )
  expect(auditEntries.nodes.map(({ summary }) => summary).toSorted()).toEqual([
    'The directory changed rec@example.com.',
    'The directory made rec@example.com.',
    'rec@example.com was deactivated.',
  ])
})
