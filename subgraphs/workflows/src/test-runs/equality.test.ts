import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TaskOutcome } from '../engine/worker/outcome.ts'
import { type Engine, openEngine } from '../testing/open-engine.ts'
import { applyWorkflow } from '../workflows/apply-workflow.ts'
import { Mocks } from './mocks.ts'
import { testSettings } from './test-settings.ts'
import type { TestSettings } from './test-settings.ts'
import { testWorkflow } from './test-workflow.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const BUSY = { error: { code: 'BUSY', retryable: true } }

const CASES: readonly [name: string, steps: string, settings: TestSettings][] = [
  [
    'branches, and what their outputs lead to',
    `
inputs: [message]
steps:
  - name: both
    type: parallel
    branches:
      left: [{ name: a, agent: worker, input: message, output: one }]
      right: [{ name: b, agent: worker, input: message, output: two }, { name: c, capability: anything, input: two }]
  - { name: last, agent: worker, input: [one, two], output: all }
`,
    { input: { message: 'hello' }, echo: true },
  ],
  [
    'a bounded map whose items fail first, some of them for good',
    `
inputs: [items]
steps:
  - name: each
    type: map
    over: items
    as: item
    output: results
    concurrency: 3
    on_failure: collect
    steps:
      - { name: work, agent: worker, input: item, output: worked, retry: { attempts: 3, delay: 20ms } }
`,
    {
      input: { items: [1, 2, 3, 4, 5, 6, 7] },
      mocks: [
        { step: 'each[3]/work', error: { code: 'BROKEN', message: 'no' } },
        { step: 'work', outcomes: [BUSY, { expression: '[input.item, attempt]' }] },
      ],
    },
  ],
  [
    'a loop with a wait, a condition and a transform',
    `
steps:
  - name: again
    type: loop
    until: draft.score > 2
    max_turns: 10
    steps:
      - { name: write, agent: worker, output: draft }
      - { name: rest, type: wait, for: 10ms }
  - { name: choose, condition: draft.score > 2.5, if_true: praise, if_false: end }
  - { name: praise, type: transform, set: { praise: '="score " + string(draft.score)' } }
`,
    { mocks: [{ step: 'write', expression: '{"score": double(call)}' }] },
  ],
  [
    'compensation of a run that fails',
    `
steps:
  - { name: book, agent: worker, output: booking, compensate: { agent: worker } }
  - { name: pay, agent: worker, output: payment, compensate: { agent: worker } }
  - { name: ship, agent: worker }
`,
    {
      mocks: [
        { step: 'ship', error: { code: 'LOST', message: 'no' } },
        { agent: 'worker', expression: 'path' },
      ],
    },
  ],
  [
    'a sub-workflow and a fallback',
    `
inputs: [n]
steps:
  - { name: call, type: workflow, workflow: child, input: n, output: answer }
  - { name: break, agent: worker, fallback_action: mend }
  - { name: after, agent: worker, next: end }
  - { name: mend, agent: worker, input: answer, output: mended }
`,
    {
      input: { n: 3 },
      mocks: [
        { step: 'break', error: { code: 'BROKEN', message: 'no' } },
        { agent: 'worker', expression: 'input' },
      ],
    },
  ],
]

const CHILD =
  'format: tutti/1\nname: child\ninputs: [n]\nsteps: [{ name: ask, agent: worker, input: n, output: asked }]\n'

test.each(CASES)('the engine does the same: %s', async (_, steps, settings) => {
  const document = `format: tutti/1\nname: flow\n${steps}`
  const tested = await testWorkflow(document, { ...settings, workflows: { child: CHILD } })
  expect(tested.problems).toEqual([])

  const actor = await engine.organization('worker')
  await engine.world.database.inTenant(actor, (tx) =>
    tx.db.agent.updateMany({ data: { capabilities: ['anything'] } }),
  )
  const real = await runForReal(actor, document, settings)
  expect({ status: tested.status, output: tested.output, error: tested.error }).toEqual(real.run)
  // Of a sub-workflow the task paths are its own.
  const paths = tested.trace.flatMap(({ event, path }) =>
    /^task_(completed|failed|cancelled)$/.test(event) ? [`${path.split('>').at(-1)} ${event.slice(5)}`] : [],
  )
  expect(paths.toSorted()).toEqual(real.tasks.toSorted())
})

async function runForReal(
  actor: Awaited<ReturnType<Engine['organization']>>,
  document: string,
  settings: TestSettings,
): Promise<{ run: object; tasks: string[] }> {
  const { mocks, echo, input } = testSettings.parse(settings)
  const mocked = new Mocks(mocks, echo)
  await using _worker = engine.work(actor, async (task): Promise<TaskOutcome> => {
    const { stepPath: path, nodeId: node, attempt, input: given, agentName, timeoutMs } = task
    const asked = {
      type: 'create_task',
      kind: 'agent',
      status: 'ready',
      node,
      path,
      input: given,
      attempt: 1,
      agent: agentName ?? '',
      timeoutMs,
      maxAttempts: 1,
    } as const
    const strand = path.slice(0, path.lastIndexOf(']/') + 1).replace(/again\[\d+\]$/, '')
    const answer = mocked.answer({ created: asked, attempt, path, prefix: '', strand })
    return answer?.outcome ?? { type: 'succeeded', output: null }
  })
  await applyWorkflow(engine.world, actor, CHILD)
  const id = await engine.start(actor, document, input)
  await engine.event(actor, /^run\.(completed|failed)$/, ({ subject }) => subject === `run/${id}`)
  const [run] = await engine.rows<{ status: string; output: unknown; error: unknown }>(
    actor,
    'select status, output, error from run where organization_id = $1 and id = $2',
    [id],
  )
  const tasks = await engine.rows<{ path: string; status: string }>(
    actor,
    'select step_path as path, status from task where organization_id = $1',
  )
  return { run: run ?? {}, tasks: tasks.map(({ path, status }) => `${path} ${status}`) }
}
