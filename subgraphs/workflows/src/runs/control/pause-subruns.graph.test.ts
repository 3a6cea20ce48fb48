import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../testing/open-engine.ts'
import { applyWorkflow } from '../../workflows/apply-workflow.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const GRANDCHILD = `
format: tutti/1
name: grandchild
steps: [{ name: work, agent: alpha }, { name: more, agent: alpha }]
`
const CHILD = `
format: tutti/1
name: child
steps: [{ name: deeper, type: workflow, workflow: grandchild }, { name: last, agent: alpha }]
`
const PARENT = `
format: tutti/1
name: parent
steps: [{ name: sub, type: workflow, workflow: child }]
`

async function act(actor: Actor, name: string, input: Record<string, unknown>): Promise<void> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`
  await engine.ask(actor, `mutation($input: ${type}!) { ${name}(input: $input) { run { id } } }`, { input })
}

/** The runs of an organization by the name of their workflow, and what their strands do. */
async function states(actor: Actor): Promise<Record<string, string>> {
  const rows = await engine.rows<{ name: string; status: string }>(
    actor,
    `select w.name, r.status from run r join workflow w on w.organization_id = r.organization_id and w.id = r.workflow_id
     where r.organization_id = $1`,
  )
  return Object.fromEntries(rows.map(({ name, status }) => [name, status]))
}
const runOf = async (actor: Actor, name: string): Promise<string> =>
  (
    await engine.rows<{ id: string }>(
      actor,
      `select r.id from run r join workflow w on w.organization_id = r.organization_id and w.id = r.workflow_id
       where r.organization_id = $1 and w.name = $2`,
      [name],
    )
  )[0]?.id ?? ''

/** A worker whose first task waits; afterwards it does everything at once, and notes what it did. */
function slow(actor: Actor) {
  const done: string[] = []
  let open: () => void = () => undefined
  let arrive: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const reached = new Promise<void>((resolve) => (arrive = resolve))
  const worker = engine.work(actor, async ({ stepPath }) => {
    arrive()
    await opened
    done.push(stepPath)
    return { type: 'succeeded', output: null }
  })
  return { worker, done, reached, open: () => open() }
}

const ended = (actor: Actor, id: string) =>
  engine.event(actor, /^run\.(completed|failed|cancelled)$/, ({ subject }) => subject === `run/${id}`)

test('a pause holds the sub-runs that are waited for, and theirs; resumed, all go on', async () => {
  const actor = await engine.organization('alpha')
  for (const document of [GRANDCHILD, CHILD]) await applyWorkflow(engine.world, actor, document)
  const crew = slow(actor)
  await using _worker = crew.worker
  const id = await engine.start(actor, PARENT)
  await crew.reached
  await act(actor, 'pauseRun', { id, reason: 'lunch' })
  expect(await states(actor)).toEqual({ parent: 'paused', child: 'paused', grandchild: 'paused' })
  crew.open()
  await engine.event(actor, /^task\.completed$/)
  expect(crew.done).toEqual(['work'])
  expect(
    await engine.rows(
      actor,
      `select status from strand where organization_id = $1 and status not in ('waiting', 'held')`,
    ),
  ).toEqual([])
  await act(actor, 'resumeRun', { id })
  expect((await ended(actor, id)).type).toBe('run.completed')
  expect(crew.done).toEqual(['work', 'more', 'last'])
})

test('a sub-run that was paused by an order of its own stays so, and what is below it with it', async () => {
  const actor = await engine.organization('alpha')
  for (const document of [GRANDCHILD, CHILD]) await applyWorkflow(engine.world, actor, document)
  const crew = slow(actor)
  await using _worker = crew.worker
  const id = await engine.start(actor, PARENT)
  await crew.reached
  const child = await runOf(actor, 'child')
  // Once before and once while the run above is paused: both are orders of its own.
  for (const first of [child, id]) {
    await act(actor, 'pauseRun', { id: first })
    await act(actor, 'pauseRun', { id: first === id ? child : id })
    await act(actor, 'resumeRun', { id })
    expect(await states(actor)).toMatchObject({ child: 'paused', grandchild: 'paused' })
    expect((await states(actor))['parent']).toMatch(/running|waiting/)
    await act(actor, 'resumeRun', { id: child })
    expect(Object.values(await states(actor))).not.toContain('paused')
  }
  crew.open()
  expect((await ended(actor, id)).type).toBe('run.completed')
})

test('a sub-run that begins while its run is paused waits for it', async () => {
  const actor = await engine.organization('alpha')
  await applyWorkflow(engine.world, actor, GRANDCHILD)
  const crew = slow(actor)
  await using _worker = crew.worker
  const id = await engine.start(
    actor,
    `
format: tutti/1
name: late
steps: [{ name: first, agent: alpha }, { name: sub, type: workflow, workflow: grandchild }]
`,
  )
  await crew.reached
  await act(actor, 'pauseRun', { id })
  crew.open()
  await engine.event(actor, /^task\.waiting$/)
  expect(await states(actor)).toEqual({ late: 'paused', grandchild: 'paused' })
  await act(actor, 'resumeRun', { id })
  expect((await ended(actor, id)).type).toBe('run.completed')
  expect(crew.done).toEqual(['first', 'work', 'more'])
})

test('a sub-run that nobody waits for goes on, unless it is asked for', async () => {
  const actor = await engine.organization('alpha')
  await applyWorkflow(engine.world, actor, GRANDCHILD)
  const crew = slow(actor)
  await using _worker = crew.worker
  const id = await engine.start(
    actor,
    `
format: tutti/1
name: letting-go
steps: [{ name: sub, type: workflow, workflow: grandchild, wait: false }, { name: hold, type: wait, signal: go }]
`,
  )
  await crew.reached
  await act(actor, 'pauseRun', { id })
  expect(await states(actor)).toEqual({ 'letting-go': 'paused', grandchild: 'running' })
  await act(actor, 'pauseRun', { id, detached: true })
  expect(await states(actor)).toEqual({ 'letting-go': 'paused', grandchild: 'paused' })
  await act(actor, 'resumeRun', { id })
  expect((await states(actor))['grandchild']).toBe('running')
  crew.open()
  await ended(actor, await runOf(actor, 'grandchild'))
})
