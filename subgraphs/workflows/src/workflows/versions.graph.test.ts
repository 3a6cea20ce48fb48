import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase, testActor } from '@tutti/prisma/testing'
import { bindSubgraph, createLog, type RunningSubgraph } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { workflows } from '../index.ts'
import { publishVersion } from './publish-version.ts'

const log = createLog('test', 'silent')
let world: TestDatabase
let tail: Tail
let subgraph: RunningSubgraph

beforeAll(async () => {
  world = await openTestDatabase()
  tail = await openTail(world.database)
  subgraph = bindSubgraph(
    workflows,
    { database: world.database, tail, log, secret: world.secret, wake: () => undefined },
    log,
  )
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

async function ask(actor: Actor, query: string, variables: Record<string, unknown> = {}) {
  const result = await subgraph.execute({ query, variables, actor })
  return JSON.parse(JSON.stringify(result))
}

/** A workflow of one wait, so that it needs no agent. */
const lasting = (seconds: number): string =>
  `format: tutti/1\nname: patience\nsteps:\n  - {name: rest, for: ${seconds}s}\n`

async function apply(actor: Actor, document: string, publish?: boolean) {
  const { data, errors } = await ask(
    actor,
    `mutation($input: ApplyWorkflowInput!) { applyWorkflow(input: $input) {
      changed version { version publishedAt publishedBy { id kind name } }
      workflow { id latestVersion { version } publishedVersion { version } } } }`,
    { input: { document, ...(publish === undefined ? {} : { publish }) } },
  )
  expect(errors).toBeUndefined()
  return data.applyWorkflow
}

const publish = (actor: Actor, workflowId: string, version: number) =>
  ask(
    actor,
    `mutation($input: PublishWorkflowVersionInput!) { publishWorkflowVersion(input: $input) {
      changed version { version } workflow { publishedVersion { version } } } }`,
    { input: { workflowId, version } },
  )

const events = (actor: Actor) =>
  world.database.readTenant<{ type: string; data: object }>(
    actor,
    `select type, data from log.event where organization_id = $1 and type like 'workflow.%' order by seq`,
    [actor.organizationId],
  )

test('an applied definition is published at once, a draft only when somebody says so', async () => {
  const actor = await world.organization()
  const first = await apply(actor, lasting(1))
  expect(first).toMatchObject({
    changed: true,
    version: { version: 1, publishedBy: { id: actor.id, kind: 'person' } },
    workflow: { latestVersion: { version: 1 }, publishedVersion: { version: 1 } },
  })
  const draft = await apply(actor, lasting(2), false)
  expect(draft).toMatchObject({
    version: { version: 2, publishedAt: null, publishedBy: null },
    workflow: { latestVersion: { version: 2 }, publishedVersion: { version: 1 } },
  })
  const published = await publish(actor, draft.workflow.id, 2)
  expect(published.data.publishWorkflowVersion).toEqual({
    changed: true,
    version: { version: 2 },
    workflow: { publishedVersion: { version: 2 } },
  })
  expect((await events(actor)).map(({ type, data }) => [type, data])).toMatchObject([
    ['workflow.applied', { version: 1 }],
    ['workflow.published', { version: 1, previous: null }],
    ['workflow.applied', { version: 2 }],
    ['workflow.published', { version: 2, previous: 1 }],
  ])
})

test('a first version that stays a draft gives the workflow no published one', async () => {
  const actor = await world.organization()
  expect(await apply(actor, lasting(1), false)).toMatchObject({ workflow: { publishedVersion: null } })
})

test('an older version can be published again, and applying the newest document goes forward again', async () => {
  const actor = await world.organization()
  await apply(actor, lasting(1))
  const { workflow } = await apply(actor, lasting(2))
  const back = await publish(actor, workflow.id, 1)
  expect(back.data.publishWorkflowVersion).toMatchObject({ workflow: { publishedVersion: { version: 1 } } })
  expect((await publish(actor, workflow.id, 1)).data.publishWorkflowVersion.changed).toBe(false)
  expect(await apply(actor, lasting(2), false)).toMatchObject({
    changed: false,
    workflow: { publishedVersion: { version: 1 } },
  })
  expect(await apply(actor, lasting(2))).toMatchObject({
    changed: false,
    workflow: { publishedVersion: { version: 2 } },
  })
  expect((await events(actor)).filter(({ type }) => type === 'workflow.applied')).toHaveLength(2)
})

test('versions are listed newest first, in pages', async () => {
  const actor = await world.organization()
  for (const seconds of [1, 2, 3]) await apply(actor, lasting(seconds))
  const { workflow } = await apply(actor, lasting(4))
  const query = `query($id: ID!, $after: String) { workflow(id: $id) { versions(first: 3, after: $after) {
    nodes { version } pageInfo { hasNextPage endCursor } } } }`
  const { data: first } = await ask(actor, query, { id: workflow.id })
  expect(first.workflow.versions.nodes).toEqual([{ version: 4 }, { version: 3 }, { version: 2 }])
  const { data: rest } = await ask(actor, query, {
    id: workflow.id,
    after: first.workflow.versions.pageInfo.endCursor,
  })
  expect(rest.workflow.versions).toMatchObject({ nodes: [{ version: 1 }], pageInfo: { hasNextPage: false } })
})

test('what lies between two versions is told step by step', async () => {
  const actor = await world.organization()
  await apply(actor, lasting(1))
  const { workflow } = await apply(actor, lasting(2))
  const query = `query($id: ID!, $to: Int!) { workflow(id: $id) { diff(from: 1, to: $to) {
    steps { step kind fields { path before after } } settings { path } } } }`
  const { data } = await ask(actor, query, { id: workflow.id, to: 2 })
  expect(data.workflow.diff).toEqual({
    steps: [{ step: 'rest', kind: 'CHANGED', fields: [{ path: 'for.ms', before: 1_000, after: 2_000 }] }],
    settings: [],
  })
  const { errors } = await ask(actor, query, { id: workflow.id, to: 3 })
  expect(errors[0].extensions).toMatchObject({ code: 'NOT_FOUND', argument: 'to' })
})

test('what cannot be published is refused with its place', async () => {
  const actor = await world.organization()
  const { workflow } = await apply(actor, lasting(1))
  const answers = await Promise.all([
    publish(actor, workflow.id, 2),
    publish(actor, workflow.id, -1),
    publish(actor, 'nonsense', 1),
    publish(testActor('admin'), workflow.id, 1),
    publish(testActor('viewer', actor.organizationId), workflow.id, 1),
  ])
  expect(answers.map(({ errors }) => [errors[0].extensions.code, errors[0].extensions.argument])).toEqual([
    ['NOT_FOUND', 'input.version'],
    ['NOT_FOUND', 'input.version'],
    ['NOT_FOUND', 'input.workflowId'],
    ['NOT_FOUND', 'input.workflowId'],
    ['FORBIDDEN', undefined],
  ])
})

test('of many who publish different versions at once, the last event says what new runs take', async () => {
  const actor = await world.organization()
  const versions = [1, 2, 3, 4]
  let workflowId = ''
  for (const seconds of versions) workflowId = (await apply(actor, lasting(seconds))).workflow.id
  await Promise.all(
    [...versions, ...versions].map((version) => publishVersion(world, actor, { workflowId, version })),
  )
  const told = (await events(actor)).filter(({ type }) => type === 'workflow.published')
  const chain = told.map(({ data }) => data as { version: number; previous: number | null })
  expect(chain.slice(1).map(({ previous }) => previous)).toEqual(
    chain.slice(0, -1).map(({ version }) => version),
  )
  const { data } = await ask(
    actor,
    'query($id: ID!) { workflow(id: $id) { publishedVersion { version } } }',
    {
      id: workflowId,
    },
  )
  expect(data.workflow.publishedVersion.version).toBe(chain.at(-1)?.version)
})
