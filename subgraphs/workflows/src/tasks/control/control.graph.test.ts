import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClaimedTask } from '../../engine/worker/claimed-task.ts'
import type { TaskOutcome } from '../../engine/worker/outcome.ts'
import { type Engine, openEngine } from '../../testing/open-engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const TWO_STEPS = `
format: tutti/1
name: two
inputs: [message]
steps:
  - { name: first, agent: alpha, input: message, output: one, retry: { attempts: 3, delay: 1h } }
  - { name: second, agent: alpha, input: one, output: two }
`
const done = async ({ stepPath }: ClaimedTask): Promise<TaskOutcome> => ({
  type: 'succeeded',
  output: stepPath,
})

/** An act by its mutation's name; answers with the task. */
async function act(actor: Actor, name: string, input: Record<string, unknown>) {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`
  const data = await engine.ask<Record<string, { task: { status: string } }>>(
    actor,
    `mutation($input: ${type}!) { ${name}(input: $input) { task { id status } } }`,
    { input },
  )
  return data[name]?.task
}

interface Seen {
  status: string
  state: Record<string, unknown>
  error: { code: string; message: string } | null
  tasks: { id: string; stepPath: string; status: string; attempt: number; output: unknown }[]
}
const see = async (actor: Actor, id: string): Promise<Seen> =>
  (
    await engine.ask<{ run: Seen }>(
      actor,
      'query($id: ID!) { run(id: $id) { status state error { code message } tasks { id stepPath status attempt output } } }',
      { id },
    )
  ).run
const ended = (actor: Actor, id: string) =>
  engine.event(actor, /^run\.(completed|failed|cancelled)$/, ({ subject }) => subject === `run/${id}`)
const taskOf = async (actor: Actor, id: string, path = 'first'): Promise<string> =>
  (await see(actor, id)).tasks.find(({ stepPath }) => stepPath === path)?.id ?? ''

/** A worker that is at the first step until the end of the test, or until it is told that it lost it. */
function stuck(actor: Actor): { worker: AsyncDisposable; begun: Promise<void>; told: Promise<void> } {
  let begin: () => void = () => undefined
  let tell: () => void = () => undefined
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const told = new Promise<void>((resolve) => (tell = resolve))
  const worker = engine.work(actor, async (task, signal) => {
    if (task.stepPath !== 'first' || task.agentName !== 'alpha' || task.attempt > 1) return done(task)
    begin()
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    tell()
    return { type: 'succeeded', output: 'too late' }
  })
  return { worker, begun, told }
}

test('a task under way is completed by hand: its worker is told, and its answer is refused', async () => {
  const actor = await engine.organization('alpha')
  const { worker, begun, told } = stuck(actor)
  await using _worker = worker
  const id = await engine.start(actor, TWO_STEPS, { message: 'm' })
  await begun
  await act(actor, 'completeTaskByHand', {
    id: await taskOf(actor, id),
    output: { by: 'hand' },
    reason: 'I knew it',
  })
  await told
  await ended(actor, id)
  expect(await see(actor, id)).toMatchObject({
    status: 'COMPLETED',
    state: { one: { by: 'hand' }, two: 'second' },
    tasks: [{ status: 'COMPLETED', output: { by: 'hand' } }, {}],
  })
  const controlled = await engine.event(actor, /^task\.controlled$/)
  expect(controlled).toMatchObject({
    actor: { id: actor.id },
    data: { action: 'complete', reason: 'I knew it', stepPath: 'first' },
  })
})

test('a skipped task is left out, and what is given stands for its result', async () => {
  const actor = await engine.organization('alpha')
  const id = await engine.start(actor, TWO_STEPS, { message: 'm' })
  await act(actor, 'skipTask', { id: await taskOf(actor, id), output: 'as if' })
  await using _worker = engine.work(actor, done)
  await ended(actor, id)
  const { tasks, state } = await see(actor, id)
  expect(state).toEqual({ one: 'as if', two: 'second' })
  expect(tasks).toMatchObject([{ status: 'SKIPPED', output: 'as if', attempt: 0 }, { status: 'COMPLETED' }])
  // What is so already is no mistake; anything else is refused with the state.
  expect(await act(actor, 'skipTask', { id: tasks[0]?.id })).toMatchObject({ status: 'SKIPPED' })
  for (const name of ['cancelTask', 'retryTask'])
    await expect(act(actor, name, { id: tasks[1]?.id })).rejects.toThrow(
      'INVALID_STATE: The task is completed, its run completed.',
    )
})

test('a cancelled task fails its run, or its fallback goes on', async () => {
  const actor = await engine.organization('alpha')
  const { worker, begun, told } = stuck(actor)
  await using _worker = worker
  const id = await engine.start(actor, TWO_STEPS, { message: 'm' })
  await begun
  await act(actor, 'cancelTask', { id: await taskOf(actor, id), reason: 'no more' })
  await told
  await ended(actor, id)
  expect(await see(actor, id)).toMatchObject({
    status: 'FAILED',
    error: { code: 'TASK_CANCELLED', message: 'no more' },
    tasks: [{ status: 'CANCELLED' }],
  })
  const other = await engine.start(
    actor,
    `
format: tutti/1
name: handled
steps:
  - { name: ask, type: wait, signal: never, fallback_action: instead }
  - { name: instead, agent: alpha, output: end }
`,
  )
  await engine.event(actor, /^task\.waiting$/, ({ data }) => JSON.stringify(data).includes(other))
  await act(actor, 'cancelTask', { id: await taskOf(actor, other, 'ask') })
  await ended(actor, other)
  expect(await see(actor, other)).toMatchObject({ status: 'COMPLETED', state: { end: 'instead' } })
})

test('a task that waits for its next attempt is tried at once', async () => {
  const actor = await engine.organization('alpha')
  const id = await engine.start(actor, TWO_STEPS, { message: 'm' })
  await using _worker = engine.work(actor, async (task) =>
    task.stepPath === 'first' && task.attempt === 1
      ? { type: 'failed', error: { code: 'BUSY', message: 'later', retryable: true } }
      : done(task),
  )
  await engine.event(actor, /^task\.retrying$/)
  await act(actor, 'retryTask', { id: await taskOf(actor, id) })
  await ended(actor, id)
  expect(await see(actor, id)).toMatchObject({ status: 'COMPLETED', tasks: [{ attempt: 2 }, { attempt: 1 }] })
})

test('a task is given to another agent while the first one is at it', async () => {
  const actor = await engine.organization('alpha', 'beta')
  const { worker, begun, told } = stuck(actor)
  await using _worker = worker
  const id = await engine.start(actor, TWO_STEPS, { message: 'm' })
  await begun
  const [beta] = await engine.rows<{ id: string }>(
    actor,
    `select id from agent where organization_id = $1 and name = 'beta'`,
  )
  const task = await taskOf(actor, id)
  await expect(
    act(actor, 'reassignTask', { id: task, agentId: '00000000-0000-4000-8000-000000000000' }),
  ).rejects.toThrow('NOT_FOUND')
  await act(actor, 'reassignTask', { id: task, agentId: beta?.id })
  await told
  await ended(actor, id)
  const { run } = await engine.ask<{ run: { status: string; tasks: { agent: { id: string } }[] } }>(
    actor,
    'query($id: ID!) { run(id: $id) { status tasks { agent { id } } } }',
    { id },
  )
  expect(run).toMatchObject({ status: 'COMPLETED', tasks: [{ agent: { id: beta?.id } }, {}] })
})

test('a task with priority is done before those that waited longer', async () => {
  const actor = await engine.organization('alpha')
  const ids = [
    await engine.start(actor, TWO_STEPS, { message: 'm' }),
    await engine.start(actor, TWO_STEPS, { message: 'm' }),
    await engine.start(actor, TWO_STEPS, { message: 'm' }),
  ]
  await act(actor, 'prioritizeTask', { id: await taskOf(actor, ids[2] ?? ''), priority: 1 })
  await expect(
    act(actor, 'prioritizeTask', { id: await taskOf(actor, ids[2] ?? ''), priority: 11 }),
  ).rejects.toThrow('BAD_INPUT')
  const order: string[] = []
  await using _worker = engine.work(
    actor,
    async (task) => {
      if (task.stepPath === 'first') order.push(task.runId)
      return done(task)
    },
    1,
  )
  for (const id of ids) await ended(actor, id)
  expect(order[0]).toBe(ids[2])
})

test('the parts of a step end with it when it is skipped', async () => {
  const actor = await engine.organization('alpha')
  await using _worker = engine.work(actor, done)
  await engine.ask(actor, 'mutation($d: String!) { applyWorkflow(input: { document: $d }) { changed } }', {
    d: 'format: tutti/1\nname: below\nsteps: [{ name: ask, type: wait, signal: never }]',
  })
  const id = await engine.start(
    actor,
    `
format: tutti/1
name: parts
steps:
  - name: both
    type: parallel
    branches:
      left: [{ name: waits, type: wait, signal: never }]
      right: [{ name: sub, type: workflow, workflow: below }]
  - { name: last, agent: alpha, output: end }
`,
  )
  const { data } = await engine.event(actor, /^task\.waiting$/, (event) =>
    JSON.stringify(event.data).includes('"below"'),
  )
  await act(actor, 'skipTask', { id: await taskOf(actor, id, 'both') })
  await ended(actor, id)
  expect(await see(actor, id)).toMatchObject({ status: 'COMPLETED', state: { end: 'last' } })
  const statuses = (await see(actor, id)).tasks.map(({ stepPath, status }) => `${stepPath} ${status}`)
  expect(statuses.toSorted()).toEqual([
    'both SKIPPED',
    'both[left]/waits CANCELLED',
    'both[right]/sub CANCELLED',
    'last COMPLETED',
  ])
  expect(await see(actor, (data as { runId: string }).runId)).toMatchObject({ status: 'CANCELLED' })
  expect(await engine.rows(actor, 'select id from strand where organization_id = $1')).toEqual([])
})

test('waits and sub-workflows are completed by hand, a review and branches are not, and no review is left out', async () => {
  const actor = await engine.organization('alpha')
  await using _worker = engine.work(actor, done)
  const id = await engine.start(
    actor,
    `
format: tutti/1
name: waits
steps:
  - { name: ask, type: wait, signal: go, output: answer }
  - { name: decide, type: review, role: approver, question: "Well?", if_rejected: end }
`,
  )
  const waitingAt = (path: string) =>
    engine.event(actor, /^task\.waiting$/, ({ data }) => JSON.stringify(data).includes(`"${path}"`))
  await waitingAt('ask')
  await act(actor, 'completeTaskByHand', { id: await taskOf(actor, id, 'ask'), output: { yes: true } })
  await waitingAt('decide')
  expect((await see(actor, id)).state).toEqual({ answer: { yes: true } })
  await expect(
    act(actor, 'completeTaskByHand', { id: await taskOf(actor, id, 'decide'), output: {} }),
  ).rejects.toThrow('INVALID_STATE: The task is waiting, its run waiting.')
  await expect(act(actor, 'skipTask', { id: await taskOf(actor, id, 'decide') })).rejects.toThrow(
    'INVALID_STATE',
  )

  // Nor with what is around it, wherever that is.
  const apply = (d: string) =>
    engine.ask(actor, 'mutation($d: String!) { applyWorkflow(input: { document: $d }) { changed } }', { d })
  const review = 'type: review, question: "Well?", if_rejected: end'
  await apply(`format: tutti/1\nname: signed\nsteps: [{ name: sign, ${review} }]`)
  await apply(
    'format: tutti/1\nname: above\nsteps: [{ name: hangs, type: wait, signal: x }, { name: below, workflow: signed }]',
  )
  for (const around of [
    `branches: { left: [{ name: hangs, type: wait, signal: x }, { name: sign, ${review} }] }`,
    'branches: { left: [{ name: hangs, type: wait, signal: x }, { name: below, workflow: above }] }',
    'workflow: above',
  ]) {
    const other = await engine.start(
      actor,
      `format: tutti/1\nname: around\nsteps: [{ name: both, ${around} }]`,
    )
    await engine.event(actor, /^task\.waiting$/, ({ data }) => JSON.stringify(data).includes(`${other}"`))
    const both = await taskOf(actor, other, 'both')
    await expect(act(actor, 'skipTask', { id: both })).rejects.toThrow('INVALID_STATE')
    await expect(act(actor, 'completeTaskByHand', { id: both, output: {} })).rejects.toThrow('INVALID_STATE')
    await act(actor, 'cancelTask', { id: both })
    await ended(actor, other)
    expect(await see(actor, other)).toMatchObject({ status: 'FAILED', error: { code: 'TASK_CANCELLED' } })
  }
})
