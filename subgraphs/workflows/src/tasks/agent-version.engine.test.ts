import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ExecuteTask } from '../engine/worker/attempt.ts'
import { type Engine, openEngine } from '../testing/open-engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const DOCUMENT = `
format: tutti/1
name: mail
inputs: [items]
steps:
  - {name: first, agent: alpha, retry: {attempts: 2, delay: 1ms}}
  - {name: slow, agent: alpha, timeout: 300ms, retry: {attempts: 1}, fallback_action: each}
  - name: each
    type: map
    over: items
    as: item
    output: results
    steps: [{name: work, agent: alpha, input: item, output: worked}]
  - {name: unsaid, agent: alpha}
  - {name: outside, agent: alpha}
`
const TASKS = 'query ($id: ID!) { run(id: $id) { tasks { id stepPath status attempt agentVersion } } }'

interface Told {
  run: {
    tasks: { id: string; stepPath: string; status: string; attempt: number; agentVersion: number | null }[]
  }
}

/** Does a task by version 3 of its agent, and a second attempt by version 4. */
const execute: ExecuteTask = async (task, signal) => {
  if (task.stepPath !== 'unsaid') task.agentVersion = task.attempt + 2
  if (task.stepPath === 'outside') return { type: 'waiting', approvalId: null }
  if (task.stepPath === 'slow')
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('late'))))
  if (task.stepPath === 'first' && task.attempt === 1)
    return { type: 'failed', error: { code: 'BUSY', message: 'not now', retryable: true } }
  return { type: 'succeeded', output: null }
}

test('a task bears the version of the agent that did it last, and another agent takes it from none', async () => {
  const actor = await engine.organization('alpha', 'beta')
  const worker = engine.work(actor, execute)
  const id = await engine.start(actor, DOCUMENT, { items: [1, 2] })
  await engine.event(actor, /^task\.waiting$/, ({ data }) => 'waitsFor' in data && data.waitsFor === 'worker')
  const { run } = await engine.ask<Told>(actor, TASKS, { id })
  const versions = new Map(
    run.tasks.map(({ stepPath, status, attempt, agentVersion }) => [
      stepPath,
      [status, attempt, agentVersion],
    ]),
  )
  expect(versions).toEqual(
    new Map([
      ['each', ['COMPLETED', 0, null]],
      ['each[0]/work', ['COMPLETED', 1, 3]],
      ['each[1]/work', ['COMPLETED', 1, 3]],
      ['first', ['COMPLETED', 2, 4]],
      ['outside', ['WAITING', 1, 3]],
      ['slow', ['FAILED', 1, 3]],
      ['unsaid', ['COMPLETED', 1, null]],
    ]),
  )

  const [beta] = await engine.rows<{ id: string }>(
    actor,
    `select id from agent where organization_id = $1 and name = 'beta'`,
  )
  const outside = run.tasks.find(({ stepPath }) => stepPath === 'outside')
  // Nobody may begin it before it is looked at.
  await worker[Symbol.asyncDispose]()
  const { reassignTask } = await engine.ask<{ reassignTask: { task: unknown } }>(
    actor,
    `mutation ($id: ID!, $agentId: ID!) { reassignTask(input: { id: $id, agentId: $agentId }) { task { status agentVersion agent { id } } } }`,
    { id: outside?.id, agentId: beta?.id },
  )
  expect(reassignTask.task).toEqual({ status: 'READY', agentVersion: null, agent: { id: beta?.id } })
})
