import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClaimedTask } from '../../engine/worker/claimed-task.ts'
import type { TaskOutcome } from '../../engine/worker/outcome.ts'
import { type Engine, openEngine } from '../../testing/open-engine.ts'
import { testActor } from '@tutti/prisma/testing'

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
  - { name: first, agent: alpha, input: message, output: one }
  - { name: second, agent: alpha, input: one, output: two }
`
const done = async ({ stepPath, input }: ClaimedTask): Promise<TaskOutcome> => ({
  type: 'succeeded',
  output: { step: stepPath, input },
})
const failure = (code: string): TaskOutcome => ({
  type: 'failed',
  error: { code, message: 'no', retryable: false },
})

/** An act by its mutation's name; answers with the run's status. */
async function act(actor: Actor, name: string, input: Record<string, unknown>): Promise<string> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`
  const data = await engine.ask<Record<string, { run: { status: string } }>>(
    actor,
    `mutation($input: ${type}!) { ${name}(input: $input) { run { id status } } }`,
    { input },
  )
  return data[name]?.run.status ?? ''
}

interface Seen {
  status: string
  state: Record<string, unknown>
  error: { code: string; message: string } | null
  tasks: { stepPath: string; status: string; attempt: number }[]
}
const see = async (actor: Actor, id: string): Promise<Seen> =>
  (
    await engine.ask<{ run: Seen }>(
      actor,
      'query($id: ID!) { run(id: $id) { status state error { code message } tasks { stepPath status attempt } } }',
      { id },
    )
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

describe('a paused run', () => {
  test('lets what is under way finish, begins nothing, and goes on when resumed', async () => {
    const actor = await engine.organization('alpha')
    const hold = gate()
    await using _worker = engine.work(actor, async (task) => {
      if (task.stepPath === 'first') await hold.pass()
      return done(task)
    })
    const id = await engine.start(actor, TWO_STEPS, { message: 'm' })
    await hold.reached
    expect(await act(actor, 'pauseRun', { id, reason: 'lunch' })).toBe('PAUSED')
    hold.open()
    await engine.event(actor, /^task\.completed$/)
    expect(await see(actor, id)).toMatchObject({
      status: 'PAUSED',
      state: { one: { step: 'first' } },
      tasks: [{ status: 'COMPLETED' }, { stepPath: 'second', status: 'READY' }],
    })
    const { runState } = await engine.ask<{ runState: object }>(
      actor,
      'query($id: ID!) { runState(id: $id) { open state waits { path for task { stepPath } } } }',
      { id },
    )
    expect(runState).toMatchObject({
      open: 1,
      state: { one: { step: 'first' } },
      waits: [{ path: 'second', for: 'RESUME', task: { stepPath: 'second' } }],
    })
    // It goes on at once, and may be over before anybody looks.
    expect(await act(actor, 'resumeRun', { id })).toMatch(/^(RUNNING|COMPLETED)$/)
    await ended(actor, id)
    expect(await see(actor, id)).toMatchObject({ status: 'COMPLETED' })
    const paused = await engine.event(actor, /^run\.paused$/)
    expect(paused).toMatchObject({ actor: { id: actor.id }, data: { runId: id, reason: 'lunch' } })
  })

  test('is paused by whoever comes second without a mistake, and resuming a running one is none either', async () => {
    const actor = await engine.organization('alpha')
    const id = await engine.start(actor, TWO_STEPS, { message: 'm' })
    expect(await act(actor, 'resumeRun', { id })).toBe('RUNNING')
    expect(await act(actor, 'pauseRun', { id })).toBe('PAUSED')
    expect(await act(actor, 'pauseRun', { id })).toBe('PAUSED')
    expect(await act(actor, 'resumeRun', { id })).toBe('RUNNING')
    await act(actor, 'cancelRun', { id })
  })

  test('goes on with no more items of a map at once than before', async () => {
    const actor = await engine.organization('alpha')
    const id = await engine.start(
      actor,
      `
format: tutti/1
name: items
inputs: [letters]
steps:
  - name: each
    type: map
    over: letters
    as: item
    concurrency: 2
    steps: [{ name: work, agent: alpha, input: item, output: result }]
    output: results
`,
      { letters: [0, 1, 2, 3, 4] },
    )
    const hold = gate()
    let most = 0
    let now = 0
    await using _worker = engine.work(actor, async (task) => {
      now += 1
      most = Math.max(most, now)
      await hold.pass()
      now -= 1
      return { type: 'succeeded', output: task.input['item'] }
    })
    await hold.reached
    await act(actor, 'pauseRun', { id })
    await act(actor, 'resumeRun', { id })
    hold.open()
    await ended(actor, id)
    expect(await see(actor, id)).toMatchObject({ status: 'COMPLETED', state: { results: [0, 1, 2, 3, 4] } })
    expect(most).toBe(2)
  })
})

describe('a cancelled run', () => {
  const PARENT = `
format: tutti/1
name: parent
steps:
  - { name: sub, type: workflow, workflow: child, output: result }
`
  const CHILD = `
format: tutti/1
name: child
steps:
  - { name: ask, type: wait, signal: go }
`
  const startBoth = async (actor: Actor): Promise<{ parent: string; child: string }> => {
    await engine.ask(actor, 'mutation($d: String!) { applyWorkflow(input: { document: $d }) { changed } }', {
      d: CHILD,
    })
    const parent = await engine.start(actor, PARENT)
    const { data } = await engine.event(actor, /^task\.waiting$/, (event) =>
      JSON.stringify(event.data).includes('"signal"'),
    )
    return { parent, child: (data as { runId: string }).runId }
  }

  test('takes the sub-run with it that it waits for', async () => {
    const actor = await engine.organization('alpha')
    await using _worker = engine.work(actor, done)
    const { parent, child } = await startBoth(actor)
    expect(await act(actor, 'cancelRun', { id: parent, reason: 'enough' })).toBe('CANCELLED')
    for (const id of [parent, child])
      expect(await see(actor, id)).toMatchObject({
        status: 'CANCELLED',
        error: { code: 'RUN_CANCELLED', message: 'enough' },
        tasks: [{ status: 'CANCELLED' }],
      })
    expect(await engine.rows(actor, 'select id from strand where organization_id = $1')).toEqual([])
    // Once more is no mistake, and changes nothing.
    expect(await act(actor, 'cancelRun', { id: parent })).toBe('CANCELLED')
  })

  test('is told to the run that waits for it', async () => {
    const actor = await engine.organization('alpha')
    await using _worker = engine.work(actor, done)
    const { parent, child } = await startBoth(actor)
    expect(await act(actor, 'terminateRun', { id: child, reason: 'now' })).toBe('CANCELLED')
    await ended(actor, parent)
    expect(await see(actor, parent)).toMatchObject({ status: 'FAILED', error: { code: 'RUN_TERMINATED' } })
    const { data } = await engine.event(actor, /^run\.cancelled$/)
    expect(data).toMatchObject({ runId: child, terminated: true, reason: 'now' })
  })
})

describe('what is not possible', () => {
  test('is refused with the state', async () => {
    const actor = await engine.organization('alpha')
    await using _worker = engine.work(actor, done)
    const id = await engine.start(actor, TWO_STEPS, { message: 'm' })
    await ended(actor, id)
    for (const name of ['pauseRun', 'resumeRun', 'cancelRun', 'terminateRun', 'retryRun'])
      await expect(act(actor, name, { id })).rejects.toThrow('INVALID_STATE: The run is completed.')
  })

  test('of another organization answers as what does not exist', async () => {
    const actor = await engine.organization('alpha')
    const id = await engine.start(actor, TWO_STEPS, { message: 'm' })
    const stranger = testActor('admin')
    const answerTo = (name: string, of: string) =>
      act(stranger, name, { id: of }).catch((error: unknown) => String(error))
    for (const name of ['pauseRun', 'resumeRun', 'cancelRun', 'terminateRun', 'retryRun', 'forkRun'])
      expect(await answerTo(name, id)).toBe(await answerTo(name, '00000000-0000-4000-8000-000000000000'))
    expect(await answerTo('pauseRun', id)).toContain('NOT_FOUND')
  })
})

describe('a failed run', () => {
  test('goes on at the step that failed, as new work, with its state as it was', async () => {
    const actor = await engine.organization('alpha')
    const generations: string[] = []
    let broken = true
    await using _worker = engine.work(actor, async (task) => {
      generations.push(`${task.stepPath} ${task.generation}`)
      return task.stepPath === 'second' && broken ? failure('BROKEN') : done(task)
    })
    const id = await engine.start(actor, TWO_STEPS, { message: 'm' })
    await ended(actor, id)
    expect(await see(actor, id)).toMatchObject({ status: 'FAILED', error: { code: 'BROKEN' } })
    broken = false
    expect(await act(actor, 'retryRun', { id, reason: 'mended' })).toMatch(/RUNNING|COMPLETED/)
    await engine.event(actor, /^run\.completed$/)
    expect(await see(actor, id)).toMatchObject({
      status: 'COMPLETED',
      error: null,
      state: { one: { step: 'first' }, two: { step: 'second', input: { one: { step: 'first' } } } },
    })
    expect(generations).toEqual(['first 0', 'second 0', 'second 1'])
    const { data } = await engine.event(actor, /^run\.retried$/)
    expect(data).toMatchObject({ steps: ['second'], generation: 1, reason: 'mended' })
  })

  test('of whose map one item failed does that item again, and no other', async () => {
    const actor = await engine.organization('alpha')
    const worked: string[] = []
    let broken = true
    await using _worker = engine.work(
      actor,
      async ({ input }) => {
        worked.push(String(input['item']))
        return input['item'] === 'b' && broken
          ? failure('BROKEN')
          : { type: 'succeeded', output: input['item'] }
      },
      1,
    )
    const id = await engine.start(
      actor,
      `
format: tutti/1
name: items
inputs: [letters]
steps:
  - name: each
    type: map
    over: letters
    as: item
    steps: [{ name: work, agent: alpha, input: item, output: result }, { name: again, agent: alpha, input: item }]
    on_failure: collect
    join: 3
    output: results
  - { name: last, type: transform, set: { all: results } }
`,
      { letters: ['a', 'b', 'c'] },
    )
    await ended(actor, id)
    expect(await see(actor, id)).toMatchObject({ status: 'FAILED' })
    expect(worked.toSorted()).toEqual(['a', 'a', 'b', 'c', 'c'])
    worked.length = 0
    broken = false
    await act(actor, 'retryRun', { id })
    await engine.event(actor, /^run\.completed$/)
    expect(worked).toEqual(['b', 'b'])
    expect((await see(actor, id)).state).toMatchObject({ all: ['a', 'b', 'c'] })
  })

  test('that failed at no step of its own goes on at the one it was at', async () => {
    const actor = await engine.organization('alpha')
    const id = await engine.start(actor, TWO_STEPS, { message: 'm' })
    // As when its time was over.
    await engine.world.database.transact(actor, async (client) => {
      await client.query(
        `update run set status = 'failed', error = '{"code": "RUN_TIMED_OUT", "message": ""}'`,
      )
      await client.query(`update task set status = 'cancelled', ended_at = now()`)
      await client.query('delete from strand')
    })
    await using _worker = engine.work(actor, done)
    await act(actor, 'retryRun', { id })
    await ended(actor, id)
    expect(await see(actor, id)).toMatchObject({
      status: 'COMPLETED',
      tasks: [
        { stepPath: 'first', status: 'CANCELLED' },
        { stepPath: 'first', status: 'COMPLETED' },
        { stepPath: 'second', status: 'COMPLETED' },
      ],
    })
  })

  test('whose steps were undone is not taken up again', async () => {
    const actor = await engine.organization('alpha')
    await using _worker = engine.work(actor, async (task) =>
      task.stepPath === 'second' ? failure('BROKEN') : done(task),
    )
    const id = await engine.start(
      actor,
      `
format: tutti/1
name: undoing
steps:
  - { name: first, agent: alpha, output: one, compensate: alpha }
  - { name: second, agent: alpha }
`,
    )
    await ended(actor, id)
    await expect(act(actor, 'retryRun', { id })).rejects.toThrow(
      /INVALID_STATE: Steps of the run were undone/,
    )
  })
})

describe('a fork', () => {
  const LOOPS = `
format: tutti/1
name: loops
inputs: [message, extra]
steps:
  - { name: first, agent: alpha, input: message, output: one }
  - { name: shape, type: transform, set: { shaped: one.step } }
  - name: again
    type: loop
    max_turns: 2
    index_as: turn
    steps: [{ name: work, agent: alpha, input: [shaped, extra], output: result }]
  - { name: last, agent: alpha, input: [result, extra], output: end }
`
  test('begins at a step of the main line with what came before, and with what was changed', async () => {
    const actor = await engine.organization('alpha')
    const worked: string[] = []
    await using _worker = engine.work(actor, async (task) => {
      worked.push(task.stepPath)
      return done(task)
    })
    const id = await engine.start(actor, LOOPS, { message: 'm' })
    await ended(actor, id)
    worked.length = 0
    const { forkRun } = await engine.ask<{ forkRun: { created: boolean; run: { id: string } } }>(
      actor,
      `mutation($id: ID!) { forkRun(input: { id: $id, stepPath: "again[1]/work", state: { extra: 7 }, idempotencyKey: "k" }) { created run { id } } }`,
      { id },
    )
    expect(forkRun.created).toBe(true)
    await ended(actor, forkRun.run.id)
    expect(worked).toEqual(['again[1]/work', 'last'])
    const forked = await see(actor, forkRun.run.id)
    expect(forked).toMatchObject({
      status: 'COMPLETED',
      state: {
        shaped: 'first',
        end: { input: { extra: 7 } },
        result: { input: { shaped: 'first', extra: 7 } },
      },
    })
    expect(forked.tasks.map(({ stepPath, status }) => `${stepPath} ${status}`)).toEqual([
      'first COMPLETED',
      'again[0]/work COMPLETED',
      'again[1]/work COMPLETED',
      'last COMPLETED',
    ])
    const again = await engine.ask<typeof forkRun>(
      actor,
      `mutation($id: ID!) { forkRun(input: { id: $id, stepPath: "again[1]/work", state: { extra: 7 }, idempotencyKey: "k" }) { created run { id } } }`,
      { id },
    )
    expect(again).toEqual({ forkRun: { created: false, run: { id: forkRun.run.id } } })
    await expect(act(actor, 'forkRun', { id, stepPath: 'last', idempotencyKey: 'k' })).rejects.toThrow(
      'IDEMPOTENCY_KEY_REUSED',
    )
  })

  test('after a parallel has what its branches wrote', async () => {
    const actor = await engine.organization('alpha')
    await using _worker = engine.work(actor, done)
    const id = await engine.start(
      actor,
      `
format: tutti/1
name: branches
steps:
  - name: both
    type: parallel
    branches:
      left: [{ name: a, agent: alpha, output: one }]
      right: [{ name: b, agent: alpha, output: two }]
    output: all
  - { name: last, agent: alpha, input: [one, two], output: end }
`,
    )
    await ended(actor, id)
    const status = await act(actor, 'forkRun', { id, stepPath: 'last' })
    expect(status).toMatch(/QUEUED|RUNNING|COMPLETED/)
    const { data } = await engine.event(actor, /^run\.forked$/)
    const { runId } = data as { runId: string }
    await ended(actor, runId)
    const forked = await see(actor, runId)
    expect(forked.state).toEqual((await see(actor, id)).state)
    expect(forked.tasks.map(({ stepPath }) => stepPath).toSorted()).toEqual([
      'both',
      'both[left]/a',
      'both[right]/b',
      'last',
    ])
    await expect(act(actor, 'forkRun', { id, stepPath: 'both[left]/a' })).rejects.toThrow(
      'INVALID_STATE: The step is of a branch or an item.',
    )
    await expect(act(actor, 'forkRun', { id, stepPath: 'nowhere' })).rejects.toThrow('BAD_INPUT')
    await expect(act(actor, 'forkRun', { id })).rejects.toThrow(
      'BAD_INPUT: No step of the run failed; say which.',
    )
    await expect(act(actor, 'forkRun', { id, stepPath: 'last', state: { $x: 1 } })).rejects.toThrow(
      'BAD_INPUT',
    )
  })
})
