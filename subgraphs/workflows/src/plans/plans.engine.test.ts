import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClaimedTask } from '../engine/worker/claimed-task.ts'
import type { TaskOutcome } from '../engine/worker/outcome.ts'
import { type Engine, openEngine } from '../testing/open-engine.ts'

let engine: Engine

beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

type Answer = (task: ClaimedTask) => unknown

const AGENTS = ['boss', 'researcher', 'writer', 'admin']

const document = (plan: string, more = '') => `
format: tutti/1
name: report
inputs: [topic]
${more}
steps:
  - name: lead
    agent: boss
    input: topic
    output: result
    retry: { attempts: 2, delay: 1ms }
    ${plan}
  - { name: last, agent: writer, input: result, output: end }
`

interface RunRow {
  id: string
  status: string
  output: { outputs: Record<string, unknown> } | null
  error: { code: string; message: string } | null
  cost: number
  parent: string | null
  version: number
}

interface Ended {
  actor: Actor
  runs: RunRow[]
  tasks: { run: string; path: string; status: string; attempt: number; output: unknown; input: unknown }[]
}

const runsOf = (actor: Actor) =>
  engine.rows<RunRow>(
    actor,
    `select r.id, r.status, r.output, r.error, r.cost_usd::float8 as cost, r.parent_run_id as parent, v.version
     from run r join workflow_version v on v.organization_id = r.organization_id and v.id = r.version_id
     where r.organization_id = $1 order by r.id`,
  )

const outcomeOf = (answer: unknown): TaskOutcome => ({ type: 'succeeded', output: answer, costUsd: 1 })

/** Plays a document to its end; an answer that is undefined is the task's step. Every answer costs a dollar. */
async function play(text: string, answer: Answer): Promise<Ended> {
  const actor = await engine.organization(...AGENTS)
  await using _worker = engine.work(actor, async (task) => outcomeOf(answer(task) ?? { did: task.nodeId }))
  const id = await engine.start(actor, text, { topic: 'tides' })
  await engine.event(actor, /^run\.(completed|failed)$/, ({ subject }) => subject === `run/${id}`)
  const tasks = await engine.rows<Ended['tasks'][number]>(
    actor,
    `select run_id as run, step_path as path, status, attempt, output, input from task where organization_id = $1 order by id`,
  )
  return { actor, runs: await runsOf(actor), tasks }
}

const planning =
  (plan: unknown): Answer =>
  ({ nodeId }) =>
    nodeId === 'lead' ? { $plan: plan } : undefined

const resultOf = ({ runs }: Ended): unknown => runs[0]?.output?.outputs['result']

describe('an agent that may plan', () => {
  test('answers with steps, which are carried out in its place', async () => {
    const ended = await play(
      document('plan: { max_tasks: 5 }'),
      planning([
        {
          name: 'both',
          branches: {
            left: [{ name: 'seek', agent: 'researcher', input: 'topic', output: 'found' }],
            right: [{ name: 'ask', agent: 'researcher', output: 'heard' }],
          },
        },
        { name: 'write', agent: 'writer', input: ['found', 'heard'], output: 'text' },
      ]),
    )
    expect(ended.runs.map(({ status }) => status)).toEqual(['completed', 'completed'])
    expect(resultOf(ended)).toEqual({
      found: { did: 'seek' },
      heard: { did: 'ask' },
      text: { did: 'write' },
    })
    expect(ended.tasks.find(({ path }) => path === 'both[left]/seek')?.input).toEqual({ topic: 'tides' })
    expect(ended.tasks.find(({ path }) => path === 'lead')).toMatchObject({
      status: 'completed',
      attempt: 1,
      output: resultOf(ended),
    })
    expect(ended.runs[1]).toMatchObject({ parent: ended.runs[0]?.id, cost: 3 })
  })

  test('answers with tasks, whose results come in their order', async () => {
    const topics = ['ebb', 'flood', 'slack']
    const ended = await play(document('plan: true'), ({ nodeId, input }) => {
      if (nodeId === 'lead')
        return {
          $tasks: topics.map((topic, index) => ({
            name: `part-${index}`,
            agent: 'researcher',
            input: { topic, depth: index },
          })),
        }
      return nodeId === 'last' ? undefined : input
    })
    expect(resultOf(ended)).toEqual({ results: topics.map((topic, depth) => ({ topic, depth })) })
  })

  test('may answer with anything else', async () => {
    const ended = await play(document('plan: true'), () => 'plain')
    expect(ended.runs).toHaveLength(1)
    expect(resultOf(ended)).toBe('plain')
  })

  test('fails as its plan does, and its fallback takes over', async () => {
    const actor = await engine.organization(...AGENTS)
    await using _worker = engine.work(actor, async ({ nodeId }) => {
      if (nodeId === 'lead')
        return outcomeOf({ $plan: [{ name: 'seek', agent: 'researcher', retry: { attempts: 1 } }] })
      if (nodeId !== 'seek') return outcomeOf('done')
      return { type: 'failed', error: { code: 'NOTHING_FOUND', message: 'Nothing.', retryable: true } }
    })
    const id = await engine.start(actor, document('plan: true\n    fallback_action: last'))
    await engine.event(actor, /^run\.completed$/, ({ subject }) => subject === `run/${id}`)
    expect(await runsOf(actor)).toMatchObject([
      {
        status: 'completed',
        output: { fallback: true, fallbackReason: { code: 'NOTHING_FOUND', node: 'lead' } },
      },
      { status: 'failed' },
    ])
  })

  test('whose plan comes to something else than its schema wants has failed', async () => {
    const ended = await play(
      document('plan: true\n    output_schema: { type: object, required: [text] }'),
      planning([{ name: 'seek', agent: 'researcher', output: 'found' }]),
    )
    expect(ended.runs[0]).toMatchObject({ status: 'failed', error: { code: 'OUTPUT_INVALID' } })
  })
})

test('without "plan" in the definition, what looks like a plan is data', async () => {
  const steps = [{ name: 'seek', agent: 'researcher' }]
  const ended = await play(document(''), planning(steps))
  expect(ended.runs).toHaveLength(1)
  expect(resultOf(ended)).toEqual({ $plan: steps })
})

describe('a plan that is not permitted', () => {
  const refusal = async (bounds: string, answer: unknown): Promise<string> => {
    const ended = await play(document(bounds), ({ nodeId }) => (nodeId === 'lead' ? answer : undefined))
    expect(ended.runs).toMatchObject([{ status: 'failed', error: { code: 'PLAN_REFUSED' } }])
    expect(ended.tasks).toMatchObject([{ path: 'lead', status: 'failed', attempt: 2 }])
    return ended.runs[0]?.error?.message ?? ''
  }
  const seek = { name: 'seek', agent: 'researcher' }

  test('names every mistake with its path', async () => {
    const message = await refusal('plan: { agents: [researcher] }', {
      $plan: [
        seek,
        { name: 'steal', agent: 'admin' },
        { name: 'guess', agent: 'nobody' },
        { name: 'reach', workflow: 'report' },
        { name: 'any', capability: 'typing' },
      ],
    })
    expect(message).toBe(
      'The plan has 4 mistakes. $plan.1.agent: The agent "admin" is not permitted here. ' +
        '$plan.2.agent: The agent "nobody" is not permitted here. ' +
        '$plan.3.workflow: The workflow "report" is not permitted here. ' +
        '$plan.4.capability: The capability "typing" is not permitted here.',
    )
  })

  test.each<[string, string, unknown, RegExp]>([
    [
      'an agent that is not there',
      'plan: true',
      [{ name: 'a', agent: 'nobody' }],
      /\$plan\.0\.agent: There is no agent/,
    ],
    [
      '10,000 steps',
      'plan: { max_tasks: 1000 }',
      Array.from({ length: 10_000 }, (_, index) => ({ name: `s${index}`, agent: 'writer' })),
      /too|steps/,
    ],
    [
      'more steps than are permitted',
      'plan: { max_tasks: 1 }',
      [seek, { ...seek, name: 'b' }],
      /come to 2 steps; 1/,
    ],
    [
      'a map without a bound',
      'plan: true',
      [{ name: 'm', over: 'topic', as: 'x', steps: [seek] }],
      /10000 steps; 20/,
    ],
    ['a loop without a bound', 'plan: true', [{ name: 'l', while: 'true', steps: [seek] }], /max_turns/],
    [
      'a way back',
      'plan: true',
      [
        { ...seek, next: 'b' },
        { name: 'b', agent: 'writer', next: 'seek' },
      ],
      /again|back|cycle/i,
    ],
    [
      '__proto__',
      'plan: true',
      JSON.parse('[{"name": "a", "agent": "writer", "__proto__": {"x": 1}}]'),
      /__proto__/,
    ],
    ['a step so named', 'plan: true', [{ name: '__proto__', agent: 'writer' }], /__proto__/],
    ['no list', 'plan: true', { steps: [seek] }, /must be a list/],
    ['nothing', 'plan: true', [], /no step|empty|holds/i],
    [
      'a plan in its plan where none may be',
      'plan: { max_depth: 1 }',
      [{ ...seek, plan: { max_tasks: 1 } }],
      /\$plan\.0\.plan: No step/,
    ],
    [
      'a larger budget in its plan',
      'plan: { budget_usd: 2 }',
      [{ ...seek, plan: { max_tasks: 1, budget_usd: 3 } }],
      /\$plan\.0\.plan\.budget_usd: 3 USD/,
    ],
    [
      'others in its plan',
      'plan: { agents: [researcher] }',
      [{ ...seek, plan: { max_tasks: 1, agents: ['admin'] } }],
      /"admin" is not permitted/,
    ],
    [
      'more tasks in its plan',
      'plan: { max_tasks: 3 }',
      [{ ...seek, plan: { max_tasks: 3 } }],
      /come to 4 steps; 3/,
    ],
    [
      'a peer of any kind',
      'plan: { agents: [researcher] }',
      [{ name: 'post', board: 'typing' }],
      /\$plan\.0\.board: The capability "typing" is not permitted/,
    ],
    [
      'somebody to undo it',
      'plan: { agents: [researcher] }',
      [{ ...seek, compensate: 'admin' }],
      /"admin" is not permitted/,
    ],
  ])('is refused for %s', async (_, bounds, steps, message) => {
    expect(await refusal(bounds, { $plan: steps })).toMatch(message)
  })

  test('is refused when steps stand in steps too deeply', async () => {
    let steps: unknown = [seek]
    for (let depth = 0; depth < 40; depth += 1) steps = [{ name: `d${depth}`, max_turns: 1, steps }]
    expect(await refusal('plan: true', { $plan: steps })).toMatch(/deep/)
  })

  test.each<[string, unknown, RegExp]>([
    ['no list', { a: 1 }, /is no list/],
    ['too many', Array.from({ length: 101 }, () => seek), /holds 101 tasks/],
    [
      'an agent that is not there',
      [seek, { name: 'b', agent: 'nobody' }],
      /\$tasks\.1\.agent: There is no agent/,
    ],
    ['a key beyond', [{ ...seek, next: 'end' }], /\$tasks\.0\.next: A task has no "next"/],
    ['two of one name', [seek, seek], /\$tasks\.1/],
    ['a text as its input', [{ ...seek, input: 'topic' }], /\$tasks\.0\.input: An input must be an object/],
    ["a name of the engine's", [{ ...seek, input: { $decision: 1 } }], /\$tasks\.0\.input\.\$decision/],
    ['no name', [{ agent: 'researcher' }], /\$tasks\.0: .*name/],
    ['a number', [7], /\$tasks\.0/],
  ])('is refused for tasks with %s', async (_, tasks, message) => {
    expect(await refusal('plan: true', { $tasks: tasks })).toMatch(message)
  })

  test('is told to the next attempt, which may mend it', async () => {
    const told: unknown[] = []
    const ended = await play(document('plan: true'), ({ nodeId, input, attempt }) => {
      if (nodeId !== 'lead') return undefined
      told.push(input['$problems'])
      return { $plan: [{ name: 'seek', agent: attempt === 1 ? 'nobody' : 'researcher', output: 'found' }] }
    })
    expect(resultOf(ended)).toEqual({ found: { did: 'seek' } })
    expect(told).toEqual([
      undefined,
      [expect.objectContaining({ code: 'unknown_agent', path: '$plan.0.agent', hint: expect.any(String) })],
    ])
  })
})

describe('plans in plans', () => {
  const nested =
    (bounds: object, steps: unknown[]): Answer =>
    ({ nodeId }) => {
      if (nodeId === 'lead')
        return {
          $plan: [
            { name: 'deeper', agent: 'researcher', output: 'deep', retry: { attempts: 1 }, plan: bounds },
          ],
        }
      if (nodeId === 'deeper') return { $plan: steps }
      return undefined
    }

  test('come to the end within the bounds of the step above', async () => {
    const ended = await play(
      document('plan: { max_tasks: 3 }'),
      nested({ max_tasks: 2 }, [{ name: 'seek', agent: 'writer', output: 'found' }]),
    )
    expect(resultOf(ended)).toEqual({ deep: { found: { did: 'seek' } } })
    expect(ended.runs).toHaveLength(3)
  })

  test('cannot go deeper, or to others, than the step above permits', async () => {
    const deeper = await play(
      document('plan: { max_tasks: 9, max_depth: 2 }'),
      nested({ max_tasks: 5, max_depth: 5 }, [{ name: 'seek', agent: 'writer', plan: { max_tasks: 1 } }]),
    )
    expect(deeper.runs[0]).toMatchObject({
      error: { code: 'PLAN_REFUSED', message: expect.stringContaining('No step') },
    })
    const others = await play(
      document('plan: { max_tasks: 9, agents: [researcher] }'),
      nested({ max_tasks: 5 }, [{ name: 'seek', agent: 'admin' }]),
    )
    expect(others.runs[0]).toMatchObject({
      error: { code: 'PLAN_REFUSED', message: expect.stringContaining('"admin" is not permitted') },
    })
  })

  test('cost together what the step above permits, and no step begins beyond', async () => {
    const steps = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, agent: 'writer' }))
    const ended = await play(
      document('plan: { max_tasks: 20, budget_usd: 3 }'),
      nested({ max_tasks: 9 }, steps),
    )
    expect(ended.runs[0]).toMatchObject({ status: 'failed', error: { code: 'PLAN_OVER_BUDGET' } })
    // The agent that planned again counts: its step is part of the first plan.
    expect(ended.runs.slice(1).map(({ cost }) => cost)).toEqual([1, 2])
  })
})

describe('what others see and do', () => {
  test('a plan is in no list of versions, cannot be started or published, and its run resolves', async () => {
    const ended = await play(document('plan: true'), planning([{ name: 'seek', agent: 'researcher' }]))
    const { actor, runs } = ended
    expect(runs[1]?.version).toBeLessThan(0)
    const data = await engine.ask<{
      workflows: {
        nodes: { id: string; latestVersion: { version: number }; versions: { nodes: unknown[] } }[]
      }
      run: { workflow: { name: string }; version: { version: number; definition: { planned: object } } }
    }>(
      actor,
      `query ($id: ID!) {
        workflows { nodes { id latestVersion { version } versions { nodes { version } } } }
        run(id: $id) { workflow { name } version { version definition } }
      }`,
      { id: runs[1]?.id },
    )
    expect(data.workflows.nodes).toMatchObject([
      { latestVersion: { version: 1 }, versions: { nodes: [{ version: 1 }] } },
    ])
    expect(data.run).toMatchObject({
      workflow: { name: 'report' },
      version: { version: runs[1]?.version, definition: { planned: {} } },
    })
    const version = runs[1]?.version
    const publish = `mutation ($input: PublishWorkflowVersionInput!) { publishWorkflowVersion(input: $input) { changed } }`
    const workflowId = data.workflows.nodes[0]?.id
    await expect(engine.ask(actor, publish, { input: { workflowId, version } })).rejects.toThrow('NOT_FOUND')
    const migrate = `mutation ($input: MigrateRunsInput!) { migrateRuns(input: $input) { runs { runId } } }`
    const move = (toVersion: number | undefined) =>
      engine.ask(actor, migrate, { input: { workflowId, toVersion, filter: { status: 'COMPLETED' } } })
    await expect(move(version)).rejects.toThrow('NOT_FOUND')
    expect(await move(1)).toEqual({ migrateRuns: { runs: [{ runId: runs[0]?.id }] } })
  })

  test('a cancelled run cancels its plan, and its state says what it waits for', async () => {
    const actor = await engine.organization(...AGENTS)
    const began = Promise.withResolvers<void>()
    await using _worker = engine.work(actor, async ({ nodeId }, signal) => {
      if (nodeId === 'lead') return outcomeOf({ $plan: [{ name: 'seek', agent: 'researcher' }] })
      began.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return outcomeOf('late')
    })
    const id = await engine.start(actor, document('plan: true'))
    await began.promise
    const [, child] = await runsOf(actor)
    expect(
      await engine.ask(actor, '{ runState(id: "' + id + '") { waits { path for subrun { id } } } }'),
    ).toMatchObject({ runState: { waits: [{ path: 'lead', for: 'SUBRUN', subrun: { id: child?.id } }] } })
    await engine.ask(actor, 'mutation ($id: ID!) { cancelRun(input: { id: $id }) { run { status } } }', {
      id,
    })
    expect((await runsOf(actor)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled'])
    expect(await engine.rows(actor, 'select id from strand where organization_id = $1')).toEqual([])
  })

  test('a step whose result somebody gives meanwhile ends its plan', async () => {
    const actor = await engine.organization(...AGENTS)
    const began = Promise.withResolvers<void>()
    await using _worker = engine.work(actor, async ({ nodeId }, signal) => {
      if (nodeId === 'lead') return outcomeOf({ $plan: [{ name: 'seek', agent: 'researcher' }] })
      if (nodeId === 'last') return outcomeOf('last')
      began.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return outcomeOf('late')
    })
    const id = await engine.start(actor, document('plan: true'))
    await began.promise
    const [lead] = await engine.rows<{ id: string }>(
      actor,
      `select id from task where organization_id = $1 and step_path = 'lead'`,
    )
    await engine.ask(
      actor,
      'mutation ($input: CompleteTaskByHandInput!) { completeTaskByHand(input: $input) { task { status } } }',
      { input: { id: lead?.id, output: 'by hand' } },
    )
    await engine.event(actor, /^run\.completed$/, ({ subject }) => subject === `run/${id}`)
    expect(await runsOf(actor)).toMatchObject([
      { status: 'completed', output: { outputs: { result: 'by hand' } } },
      { status: 'cancelled' },
    ])
  })

  test('a workflow of which one run at a time may be under way is not in its own way', async () => {
    const ended = await play(
      document('plan: true', 'concurrency: 1'),
      planning([{ name: 'seek', agent: 'researcher', output: 'found' }]),
    )
    expect(resultOf(ended)).toEqual({ found: { did: 'seek' } })
  })
})

test('a plan is paused, resumed and stopped with its run', async () => {
  const actor = await engine.organization(...AGENTS)
  const [began, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await using _worker = engine.work(actor, async ({ nodeId }) => {
    if (nodeId === 'lead')
      return outcomeOf({
        $plan: [
          { name: 'seek', agent: 'researcher' },
          { name: 'find', agent: 'researcher', output: 'found' },
        ],
      })
    if (nodeId === 'seek') {
      began.resolve()
      await mayEnd.promise
    }
    return outcomeOf(nodeId)
  })
  const id = await engine.start(actor, document('plan: true'))
  await began.promise
  await engine.ask(actor, 'mutation ($id: ID!) { pauseRun(input: { id: $id }) { run { status } } }', { id })
  expect((await runsOf(actor)).map(({ status }) => status)).toEqual(['paused', 'paused'])
  mayEnd.resolve()
  await engine.event(actor, /^task\.completed$/, ({ data }) => 'stepPath' in data && data.stepPath === 'seek')
  await engine.ask(actor, 'mutation ($id: ID!) { resumeRun(input: { id: $id }) { run { status } } }', { id })
  await engine.event(actor, /^run\.completed$/, ({ subject }) => subject === `run/${id}`)
  expect((await runsOf(actor))[0]?.output?.outputs['result']).toEqual({ found: 'find' })
})

test('a run that failed by its plan is planned anew when it is retried', async () => {
  const actor = await engine.organization(...AGENTS)
  let plans = 0
  await using _worker = engine.work(actor, async ({ nodeId }) => {
    if (nodeId !== 'lead') return outcomeOf(nodeId)
    plans += 1
    return outcomeOf({
      $plan: [{ name: 'seek', agent: plans === 1 ? 'researcher' : 'writer', output: 'found' }],
    })
  })
  const id = await engine.start(
    actor,
    document('plan: true\n    output_schema: { properties: { found: { const: nothing } } }'),
  )
  await engine.event(actor, /^run\.failed$/, ({ subject }) => subject === `run/${id}`)
  await engine.ask(actor, 'mutation ($id: ID!) { retryRun(input: { id: $id }) { run { status } } }', { id })
  await engine.event(actor, /^run\.retried$/)
  await expect
    .poll(async () => (await runsOf(actor)).map(({ status }) => status))
    .toEqual(['failed', 'completed', 'completed'])
  expect(plans).toBe(2)
})

test('a plan that cannot be stored fails its step', async () => {
  const ended = await play(
    document('plan: true'),
    planning([{ name: 'seek', agent: 'researcher', description: 'nul \0 half \ud800' }]),
  )
  expect(ended.runs).toMatchObject([{ status: 'failed', error: { code: 'RESULT_NOT_STORABLE' } }])
})

test('the limit of the step is that of its plan', async () => {
  const ended = await play(
    document('plan: true\n    step_timeout: 1h'),
    planning([{ name: 'seek', agent: 'researcher' }]),
  )
  const [plan] = await engine.rows<{ timeout: bigint }>(
    ended.actor,
    'select timeout_ms as timeout from run where organization_id = $1 and parent_run_id is not null',
  )
  expect(Number(plan?.timeout)).toBeGreaterThan(3_000_000)
  expect(Number(plan?.timeout)).toBeLessThanOrEqual(3_600_000)
})

test('items of a map may all plan, each for itself', async () => {
  const items = Array.from({ length: 12 }, (_, index) => index)
  const text = `
format: tutti/1
name: many
inputs: [items]
steps:
  - name: each
    over: items
    as: item
    output: all
    steps: [{ name: lead, agent: boss, input: item, plan: { max_tasks: 1, budget_usd: 9 } }]
`
  const actor = await engine.organization(...AGENTS)
  await using _worker = engine.work(actor, async ({ nodeId, input }) =>
    outcomeOf(
      nodeId === 'lead'
        ? { $tasks: [{ name: 'part', agent: 'writer', input: { n: input['item'] } }] }
        : input['n'],
    ),
  )
  const id = await engine.start(actor, text, { items })
  await engine.event(actor, /^run\.completed$/, ({ subject }) => subject === `run/${id}`)
  const [run] = await runsOf(actor)
  expect(run?.output?.outputs['all']).toEqual(items.map((item) => ({ results: [item] })))
})

test('a worker that dies after its agent planned leaves one child run', async () => {
  const actor = await engine.organization(...AGENTS)
  let plans = 0
  const answer = async ({ nodeId }: ClaimedTask): Promise<TaskOutcome> => {
    if (nodeId !== 'lead') return outcomeOf('done')
    plans += 1
    return outcomeOf({ $plan: [{ name: 'seek', agent: 'researcher', output: 'found' }] })
  }
  // As if it had died between the answer and its record: the strand is taken up again, by whoever claims it.
  await using _worker = engine.work(actor, async (task) => {
    const outcome = await answer(task)
    if (plans === 1 && task.nodeId === 'lead')
      await engine.world.database
        .pool('worker')
        .query('update strand set fence = fence + 1, due_at = clock_timestamp() where id = $1', [
          task.strandId,
        ])
    return outcome
  })
  const id = await engine.start(actor, document('plan: true'))
  await engine.event(actor, /^run\.completed$/, ({ subject }) => subject === `run/${id}`)
  expect(plans).toBe(2)
  expect((await runsOf(actor)).map(({ parent, status }) => [parent, status])).toEqual([
    [null, 'completed'],
    [id, 'completed'],
  ])
})
