import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTriggerWorld, type TriggerWorld } from './testing/trigger-world.ts'

let world: TriggerWorld
let actor: Actor
let workflowId: string

beforeAll(async () => {
  world = await openTriggerWorld()
  actor = await world.organization()
  workflowId = await world.workflow(actor, { name: 'flow' })
})
afterAll(() => world[Symbol.asyncDispose]())

const TRIGGER = `id name kind status cron timeZone missed catchUp jitterSeconds eventType filter signed input expressions
  idempotencyKey priority workflow { name } nextFirings firings { nodes { status } }`
const create = (input: Record<string, unknown>, who = actor) =>
  world.ask(
    who,
    `mutation($input: CreateTriggerInput!) {
      createTrigger(input: $input) { trigger { ${TRIGGER} } webhook { path signingSecret } }
    }`,
    { input: { workflowId, name: crypto.randomUUID(), ...input } },
  )
const call = (name: string, input: Record<string, unknown>, selection: string, who = actor) =>
  world.ask(
    who,
    `mutation($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selection} } }`,
    { input },
  )
const read = (id: string) => world.ask(actor, `query($id: ID!) { trigger(id: $id) { ${TRIGGER} } }`, { id })

test('a schedule says its settings and its next times', async () => {
  const { data, code } = await create({
    name: 'nightly',
    kind: 'SCHEDULE',
    cron: '30 2 * * *',
    timeZone: 'Europe/Berlin',
    missed: 'ALL',
    catchUp: 3,
    jitterSeconds: 60,
    priority: 2,
    input: { topic: 'news' },
    expressions: { at: 'scheduledAt' },
  })
  expect(code).toBeNull()
  expect(data).toMatchObject({
    createTrigger: {
      webhook: null,
      trigger: {
        name: 'nightly',
        kind: 'SCHEDULE',
        status: 'ACTIVE',
        missed: 'ALL',
        catchUp: 3,
        jitterSeconds: 60,
        priority: 2,
        eventType: null,
        signed: null,
        input: { topic: 'news' },
        expressions: { at: 'scheduledAt' },
        workflow: { name: 'flow' },
        firings: { nodes: [] },
      },
    },
  })
  const { trigger } = await world
    .ask(actor, '{ triggers(first: 100) { nodes { name nextFirings(first: 3) } } }')
    .then(({ data: { triggers } }) => ({
      trigger: (triggers as { nodes: { name: string; nextFirings: string[] }[] }).nodes.find(
        ({ name }) => name === 'nightly',
      ),
    }))
  expect(trigger?.nextFirings).toHaveLength(3)
  for (const time of trigger?.nextFirings ?? []) expect(time).toMatch(/T0[01]:30:00(\.000)?Z$/)
})

test('a webhook shows its path and secret once, and they are not stored as they are', async () => {
  const { data } = await create({ kind: 'WEBHOOK' })
  const { webhook, trigger } = data['createTrigger'] as {
    webhook: { path: string; signingSecret: string }
    trigger: { id: string; signed: boolean }
  }
  expect(webhook.path).toMatch(/^\/hooks\/[\w-]{43}$/)
  expect(Buffer.from(webhook.path.slice(7), 'base64url')).toHaveLength(32)
  expect(webhook.signingSecret).toMatch(/^whsec_/)
  expect(trigger.signed).toBe(true)
  const [row] = await world.database.readTenant(
    actor,
    'select t::text as text from trigger t where organization_id = $1 and id = $2',
    [actor.organizationId, trigger.id],
  )
  expect(row?.['text']).not.toContain(webhook.path.slice(7))
  expect(row?.['text']).not.toContain(webhook.signingSecret.slice(6))
  expect(JSON.stringify((await read(trigger.id)).data)).not.toContain('whsec_')
})

describe('mistakes are told all at once, each with its argument', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    [
      'of a schedule',
      { kind: 'SCHEDULE', name: '', cron: '61 * * * *', eventType: 'run.started', priority: 11 },
      ['input.name', 'input.priority', 'input.eventType', 'input.cron'],
    ],
    ['of a schedule without times', { kind: 'SCHEDULE' }, ['input.cron']],
    [
      'of a time zone',
      { kind: 'SCHEDULE', cron: '@daily', timeZone: 'Mars/Base', catchUp: 5 },
      ['input.timeZone', 'input.catchUp'],
    ],
    [
      'of an event',
      {
        kind: 'EVENT',
        eventType: 'run.finished',
        filter: 'event.data.',
        expressions: { a: 'payload.b', c: 3 },
      },
      ['input.eventType', 'input.filter', 'input.expressions.a', 'input.expressions.c'],
    ],
    ['of an event without a type', { kind: 'EVENT' }, ['input.eventType']],
    ['of what triggers do', { kind: 'EVENT', eventType: 'trigger.*' }, ['input.eventType']],
    ['of a filter', { kind: 'EVENT', eventType: 'a.b', filter: '1 + 1' }, ['input.filter']],
    [
      'of a webhook',
      {
        kind: 'WEBHOOK',
        signed: false,
        signingSecret: `whsec_${Buffer.alloc(32).toString('base64')}`,
        cron: '@daily',
      },
      ['input.cron', 'input.signingSecret'],
    ],
    ['of a secret', { kind: 'WEBHOOK', signingSecret: 'whsec_short' }, ['input.signingSecret']],
    [
      'of what is stored',
      { kind: 'WEBHOOK', name: 'a\0b', input: { a: 'nu\0l' }, idempotencyKey: 'payload.\0' },
      ['input.name', 'input.input', 'input.idempotencyKey'],
    ],
    ['of an input', { kind: 'WEBHOOK', input: [1] }, ['input.input']],
    [
      'of catching up with large inputs',
      { kind: 'SCHEDULE', cron: '@daily', missed: 'ALL', catchUp: 100, input: { a: 'x'.repeat(1_000_000) } },
      ['input.catchUp'],
    ],
    ['of a large input', { kind: 'WEBHOOK', input: { a: 'x'.repeat(5_000_000) } }, ['input.input']],
  ])('%s', async (_, input, paths) => {
    const { code, extensions } = await create(input)
    expect(code).toBe('BAD_INPUT')
    expect(extensions.problems?.map(({ path }) => path).sort()).toEqual(paths.sort())
  })

  test('an input of 1 MB is taken', async () => {
    const { code } = await create({ kind: 'WEBHOOK', input: { a: 'x'.repeat(1_000_000) } })
    expect(code).toBeNull()
  })
})

test('a workflow that is not there, and a name that is taken', async () => {
  for (const id of ['nonsense', crypto.randomUUID()])
    expect(await create({ kind: 'WEBHOOK', workflowId: id })).toMatchObject({
      code: 'NOT_FOUND',
      extensions: { argument: 'input.workflowId' },
    })
  await create({ kind: 'WEBHOOK', name: 'taken' })
  expect(await create({ kind: 'WEBHOOK', name: 'taken' })).toMatchObject({
    code: 'CONFLICT',
    extensions: { argument: 'input.name' },
  })
})

test('what is changed is what was given; null is what it is unless said', async () => {
  const { id } = await world.trigger(actor, {
    workflowId,
    kind: 'SCHEDULE',
    cron: '0 9 * * *',
    missed: 'ALL',
    catchUp: 7,
    priority: 3,
  })
  const update = (input: Record<string, unknown>) =>
    call('updateTrigger', { id, ...input }, `trigger { ${TRIGGER} } webhook { path }`)
  const renamed = await update({ name: 'renamed' })
  expect(renamed.data).toMatchObject({
    updateTrigger: {
      webhook: null,
      trigger: { name: 'renamed', cron: '0 9 * * *', catchUp: 7, priority: 3 },
    },
  })
  const moved = await update({ cron: '0 10 * * *', timeZone: 'Asia/Tokyo', missed: 'SKIP', priority: null })
  expect(moved.data).toMatchObject({
    updateTrigger: { trigger: { name: 'renamed', missed: 'SKIP', catchUp: null, priority: null } },
  })
  expect(JSON.stringify(moved.data)).toContain('T01:00:00')
  expect(await update({ cron: 'never' })).toMatchObject({
    code: 'BAD_INPUT',
    extensions: { argument: 'input.cron' },
  })
  expect(await update({ newSecret: true })).toMatchObject({ code: 'BAD_INPUT' })
})

test('a paused trigger has no next time, a deleted one is gone, and each change is told', async () => {
  const { id } = await world.trigger(actor, { workflowId, kind: 'SCHEDULE', cron: '@hourly' })
  const paused = await call('pauseTrigger', { id }, 'trigger { status nextFirings }')
  expect(paused.data).toEqual({ pauseTrigger: { trigger: { status: 'PAUSED', nextFirings: [] } } })
  await call('pauseTrigger', { id }, 'trigger { status }')
  const resumed = await call('resumeTrigger', { id }, 'trigger { status nextFirings(first: 1) }')
  expect(resumed.data).toMatchObject({
    resumeTrigger: { trigger: { status: 'ACTIVE', nextFirings: [expect.any(String)] } },
  })
  await call('deleteTrigger', { id }, 'id')
  expect((await read(id)).data['trigger']).toBeNull()
  expect((await call('deleteTrigger', { id }, 'id')).code).toBe('NOT_FOUND')
  const changes = (await world.events(actor, 'trigger.changed')).filter(
    (event) => event.subject === `trigger/${id}`,
  )
  expect(changes.map(({ data }) => Reflect.get(data, 'change'))).toEqual([
    'created',
    'paused',
    'resumed',
    'deleted',
  ])
})

test('fired by hand it starts a run as who fired it, once for a key, paused too', async () => {
  const { id } = await world.trigger(actor, {
    workflowId,
    kind: 'WEBHOOK',
    expressions: { order: 'payload.id', twice: 'payload.n * 2' },
    input: { from: 'hook' },
    priority: 4,
  })
  await call('pauseTrigger', { id }, 'trigger { id }')
  const fire = (input: Record<string, unknown>) =>
    call(
      'fireTrigger',
      { id, payload: { id: 'o-1', n: 21 }, ...input },
      'created firing { status occurrence run { id input } error { code message } }',
    )
  const first = await fire({ idempotencyKey: 'k' })
  expect(first.data).toMatchObject({
    fireTrigger: {
      created: true,
      firing: {
        status: 'STARTED',
        occurrence: 'hand:k',
        run: { input: { from: 'hook', order: 'o-1', twice: 42 } },
        error: null,
      },
    },
  })
  const again = await fire({ idempotencyKey: 'k' })
  expect(again.data).toMatchObject({ fireTrigger: { created: false } })
  const [run, ...others] = (await world.runs(actor)).filter(({ triggerId }) => triggerId === id)
  expect(others).toEqual([])
  expect(run).toMatchObject({ priority: 4, startedBy: { id: actor.id, kind: actor.kind } })

  const failed = await fire({ payload: {} })
  expect(failed.data).toMatchObject({
    fireTrigger: { firing: { status: 'FAILED', run: null, error: { code: 'TRIGGER_INPUT_FAILED' } } },
  })
  expect(await fire({ payload: { a: 'nu\0l' } })).toMatchObject({
    code: 'BAD_INPUT',
    extensions: { argument: 'input.payload' },
  })
})

test('another organization meets nothing of it', async () => {
  const { id } = await world.trigger(actor, { workflowId, kind: 'SCHEDULE', cron: '@hourly' })
  const stranger = await world.organization()
  const { data } = await world.ask(
    stranger,
    `query($id: ID!) { trigger(id: $id) { id } triggers { nodes { id } } }`,
    { id },
  )
  expect(data).toEqual({ trigger: null, triggers: { nodes: [] } })
  for (const name of ['updateTrigger', 'deleteTrigger', 'pauseTrigger', 'resumeTrigger', 'fireTrigger']) {
    const foreign = await call(name, { id }, '__typename', stranger)
    expect(foreign.code).toBe('NOT_FOUND')
    expect(foreign).toEqual(await call(name, { id: crypto.randomUUID() }, '__typename', stranger))
  }
  expect((await create({ kind: 'WEBHOOK' }, stranger)).code).toBe('NOT_FOUND')
})
