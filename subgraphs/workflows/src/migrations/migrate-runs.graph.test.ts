import type { Actor } from '@tutti/schema'
import { testActor } from '@tutti/prisma/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClaimedTask } from '../engine/worker/claimed-task.ts'
import type { TaskOutcome } from '../engine/worker/outcome.ts'
import { type Engine, openEngine } from '../testing/open-engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const done = async ({ stepPath, agentName }: ClaimedTask): Promise<TaskOutcome> => ({
  type: 'succeeded',
  output: `${stepPath} by ${agentName}`,
})

const flow = (...steps: string[]): string =>
  `format: tutti/1\nname: flow\nsteps:\n${steps.map((step) => `  - {${step}}\n`).join('')}`
const FIRST = 'name: first, agent: alpha, output: one'
const SECOND = 'name: second, agent: alpha, input: one, output: two'
const OLD = flow(FIRST, SECOND)

interface Migrated {
  migrated: number
  refused: number
  after: string | null
  runs: {
    runId: string
    from: number
    outcome: string
    problems: { code: string; step: string | null }[]
    run: { version: { version: number } } | null
  }[]
}

async function migrate(actor: Actor, input: Record<string, unknown>): Promise<Migrated> {
  const { migrateRuns } = await engine.ask<{ migrateRuns: Migrated }>(
    actor,
    `mutation($input: MigrateRunsInput!) { migrateRuns(input: $input) {
      migrated refused after runs { runId from outcome problems { code step } run { version { version } } } } }`,
    { input },
  )
  return migrateRuns
}

/** Applies a newer document without publishing it. */
async function draft(actor: Actor, document: string): Promise<{ workflowId: string; toVersion: number }> {
  const { applyWorkflow } = await engine.ask<{
    applyWorkflow: { workflow: { id: string }; version: { version: number } }
  }>(
    actor,
    `mutation($document: String!) { applyWorkflow(input: {document: $document, publish: false}) {
      workflow { id } version { version } } }`,
    { document },
  )
  return { workflowId: applyWorkflow.workflow.id, toVersion: applyWorkflow.version.version }
}

const see = async (actor: Actor, id: string) =>
  (
    await engine.ask<{
      run: { status: string; state: object; version: { version: number }; tasks: { stepPath: string }[] }
    }>(actor, 'query($id: ID!) { run(id: $id) { status state version { version } tasks { stepPath } } }', {
      id,
    })
  ).run
const ended = (actor: Actor, id: string) =>
  engine.event(actor, /^run\.(completed|failed|cancelled)$/, ({ subject }) => subject === `run/${id}`)

/** A gate at which work waits until the test lets it go on. */
function gate() {
  let open: () => void = () => undefined
  let arrive: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const reached = new Promise<void>((resolve) => (arrive = resolve))
  return {
    open: () => open(),
    reached,
    pass: () => {
      arrive()
      return opened
    },
  }
}

test('a run whose step is being worked on goes on by the new version once that is done', async () => {
  const actor = await engine.organization('alpha', 'beta')
  const hold = gate()
  await using _worker = engine.work(actor, async (task) => {
    if (task.stepPath === 'first') await hold.pass()
    return done(task)
  })
  const id = await engine.start(actor, OLD)
  await hold.reached
  const to = await draft(
    actor,
    flow(FIRST, 'name: between, agent: beta, input: one, output: more', SECOND.replace('alpha', 'beta')),
  )
  const trial = await migrate(actor, { ...to, dryRun: true })
  expect(trial).toMatchObject({
    migrated: 1,
    refused: 0,
    runs: [{ runId: id, outcome: 'MIGRATED', from: 1 }],
  })
  expect(await see(actor, id)).toMatchObject({ version: { version: 1 } })
  expect(await migrate(actor, to)).toMatchObject({
    migrated: 1,
    runs: [{ outcome: 'MIGRATED', run: { version: { version: 2 } }, problems: [] }],
  })
  hold.open()
  await ended(actor, id)
  expect(await see(actor, id)).toMatchObject({
    status: 'COMPLETED',
    version: { version: 2 },
    state: { one: 'first by alpha', more: 'between by beta', two: 'second by beta' },
    tasks: [{ stepPath: 'first' }, { stepPath: 'between' }, { stepPath: 'second' }],
  })
  const moved = await engine.event(actor, /^run\.migrated$/)
  expect(moved).toMatchObject({ actor: { id: actor.id }, data: { runId: id, from: 1, to: 2 } })
  const { run } = await engine.ask<{ run: object }>(
    actor,
    'query($id: ID!, $at: DateTime) { run(id: $id, at: $at) { version { version } } }',
    { id, at: new Date(moved.time.getTime() - 1) },
  )
  expect(run).toEqual({ version: { version: 1 } })
})

test('runs that cannot go on by the version stay, each with its reasons, beside those that move', async () => {
  const actor = await engine.organization('alpha')
  const hold = gate()
  const atSecond = await engine.start(actor, OLD)
  await using _worker = engine.work(actor, async (task) => {
    if (task.stepPath === 'second') await hold.pass()
    return done(task)
  })
  await hold.reached
  const to = await draft(
    actor,
    flow(
      FIRST,
      'name: check, agent: alpha, input: one, output: verdict',
      SECOND,
      'name: third, agent: alpha, input: verdict',
    ),
  )
  const before = await engine.rows(actor, 'select epoch, version_id from run where organization_id = $1')
  expect(await migrate(actor, to)).toMatchObject({
    migrated: 0,
    refused: 1,
    runs: [{ runId: atSecond, outcome: 'REFUSED', problems: [{ code: 'NAME_MISSING', step: 'third' }] }],
  })
  expect(await engine.rows(actor, 'select epoch, version_id from run where organization_id = $1')).toEqual(
    before,
  )
  hold.open()
  await ended(actor, atSecond)
  expect(await migrate(actor, { ...to, filter: { ids: [atSecond] } })).toMatchObject({
    runs: [{ outcome: 'REFUSED', problems: [{ code: 'RUN_OVER' }] }],
  })
  expect((await migrate(actor, to)).runs).toEqual([])
})

test('a filter says which: by id, version and state; the draft they are on already is no reason to move', async () => {
  const actor = await engine.organization('alpha')
  const ids: string[] = []
  for (const _ of [1, 2, 3]) ids.push(await engine.start(actor, OLD))
  const to = await draft(actor, flow(FIRST, SECOND, 'name: third, agent: alpha, input: two'))
  const [one, two, three] = ids
  await engine.ask(actor, 'mutation($id: ID!) { pauseRun(input: {id: $id}) { run { id } } }', { id: three })
  const idsOf = ({ runs }: Migrated) => runs.map(({ runId }) => runId)
  expect(idsOf(await migrate(actor, { ...to, dryRun: true }))).toEqual(ids)
  expect(idsOf(await migrate(actor, { ...to, filter: { status: 'PAUSED' }, dryRun: true }))).toEqual([three])
  expect(idsOf(await migrate(actor, { ...to, filter: { fromVersion: 2 }, dryRun: true }))).toEqual([])
  expect(await migrate(actor, { ...to, filter: { ids: [one, 'nonsense'] } })).toMatchObject({ migrated: 1 })
  expect((await migrate(actor, { ...to, filter: { ids: [one, two] } })).runs).toMatchObject([
    { runId: one, from: 2, outcome: 'UNCHANGED' },
    { runId: two, from: 1, outcome: 'MIGRATED' },
  ])
  expect(idsOf(await migrate(actor, { ...to, after: two }))).toEqual([three])
})

test('what is not there, or another’s, is not found', async () => {
  const actor = await engine.organization('alpha')
  const id = await engine.start(actor, OLD)
  const { workflowId } = await draft(actor, OLD)
  await expect(migrate(actor, { workflowId, toVersion: 7 })).rejects.toThrow('NOT_FOUND')
  await expect(migrate(actor, { workflowId: 'nonsense', toVersion: 1 })).rejects.toThrow('NOT_FOUND')
  await expect(migrate(testActor('admin'), { workflowId, toVersion: 1 })).rejects.toThrow('NOT_FOUND')
  await expect(
    migrate(testActor('viewer', actor.organizationId), { workflowId, toVersion: 1 }),
  ).rejects.toThrow('FORBIDDEN')
  const own = await engine.organization('alpha')
  await engine.start(own, OLD)
  const mine = await draft(own, flow(FIRST))
  expect((await migrate(own, { ...mine, filter: { ids: [id] } })).runs).toEqual([])
})

test('many runs under way are moved while workers work on them, none twice and none by half', async () => {
  const actor = await engine.organization('alpha')
  const ids: string[] = []
  for (let n = 0; n < 60; n++) ids.push(await engine.start(actor, OLD))
  await using _one = engine.work(actor, done, 4)
  await using _two = engine.work(actor, done, 4)
  const to = await draft(actor, flow(FIRST, SECOND, 'name: third, agent: alpha, input: two, output: three'))
  const { runs } = await migrate(actor, to)
  for (const id of ids) await ended(actor, id)
  const rows = await engine.rows<{ id: string; version: number; steps: number; status: string }>(
    actor,
    `select r.id, v.version, r.status, (select count(*)::int from task t where t.run_id = r.id and t.status = 'completed') as steps
     from run r join workflow_version v on v.organization_id = r.organization_id and v.id = r.version_id
     where r.organization_id = $1`,
  )
  const moved = new Set(runs.flatMap(({ runId, outcome }) => (outcome === 'MIGRATED' ? [runId] : [])))
  expect(rows.map(({ id, version, status, steps }) => ({ id, version, status, steps }))).toEqual(
    rows.map(({ id }) =>
      moved.has(id)
        ? { id, version: 2, status: 'completed', steps: 3 }
        : { id, version: 1, status: 'completed', steps: 2 },
    ),
  )
})
