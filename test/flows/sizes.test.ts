import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpAgent, httpAgentDocument, startHttpAgent } from './http-agent.ts'
import { applyWorkflow, readRun, registerAgent, startRuns } from './operations.ts'
import { type Platform, startPlatform } from './platform.ts'

const MEGABYTE = 1_000_000
const cleanup = new AsyncDisposableStack()
let platform: Platform
let agent: HttpAgent
let workflowId: string

beforeAll(async () => {
  agent = cleanup.use(
    await startHttpAgent(({ json: { input } }) => ({ output: 'x'.repeat(Number(input['puts'])) })),
  )
  platform = cleanup.use(
    await startPlatform('standalone', { environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true' } }),
  )
  await registerAgent(platform.as('operator'), httpAgentDocument('prolific', agent.url))
  workflowId = await applyWorkflow(platform.as('operator'), {
    format: 'tutti/1',
    name: 'sizes',
    inputs: ['given', 'puts'],
    steps: [
      {
        name: 'only',
        agent: 'prolific',
        input: { given: 'given', puts: 'puts' },
        output: 'made',
        retry: { attempts: 1 },
      },
    ],
  })
})
afterAll(() => cleanup.disposeAsync())

async function ended(input: object): Promise<Awaited<ReturnType<typeof readRun>>> {
  const [id = ''] = await startRuns(platform.as('operator'), workflowId, [input])
  const run = () => readRun(platform.as('viewer'), id)
  await expect.poll(async () => (await run()).status, { timeout: 30_000 }).toMatch(/COMPLETED|FAILED/)
  return run()
}

test('an input and an output of a megabyte go all the way', async () => {
  const run = await ended({ given: 'é'.repeat(MEGABYTE / 2), puts: MEGABYTE })
  expect(run).toMatchObject({ status: 'COMPLETED', error: null })
  expect(String(run.state['made']).length).toBe(MEGABYTE)
  expect(agent.calls.at(-1)?.json.input).toMatchObject({ given: 'é'.repeat(MEGABYTE / 2) })
}, 60_000)

test('an input of five megabytes is refused, and the limit named', async () => {
  const { body, status } = await platform
    .as('operator')
    .send('mutation($input: StartRunInput!) { startRun(input: $input) { run { id } } }', {
      input: { workflowId, input: { given: 'x'.repeat(5 * MEGABYTE), puts: 1 } },
    })
  expect(status).toBe(200)
  expect(body.errors).toMatchObject([
    {
      message: 'The input is larger than 2 MiB.',
      extensions: { code: 'BAD_INPUT', argument: 'input.input' },
    },
  ])
})

test('an output of five megabytes fails its step, and the limit is named', async () => {
  const run = await ended({ given: '', puts: 5 * MEGABYTE })
  expect(run).toMatchObject({ status: 'FAILED', tasks: [{ error: { code: 'AGENT_ANSWER_TOO_LARGE' } }] })
  expect(run.error?.message).toContain('2 MiB')
}, 60_000)

test('a definition of a megabyte is applied, and one of five refused', async () => {
  const of = (size: number) =>
    platform
      .as('operator')
      .send('mutation($input: ApplyWorkflowInput!) { applyWorkflow(input: $input) { workflow { name } } }', {
        input: {
          document: JSON.stringify({
            format: 'tutti/1',
            name: 'long',
            description: 'a long story',
            steps: [{ name: 'only', agent: 'prolific' }],
          }).padEnd(size),
        },
      })
  expect((await of(MEGABYTE)).body).toMatchObject({ data: { applyWorkflow: { workflow: { name: 'long' } } } })
  expect(JSON.stringify((await of(5 * MEGABYTE)).body.errors)).toContain('1 MiB')
})
