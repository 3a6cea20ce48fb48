import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Engine, openEngine } from '../testing/open-engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const TEST = `mutation($input: TestRunInput!) { testRun(input: $input) {
  status output error startedAt endedAt durationMs
  trace { at afterMs event path workflow attempt input output error details }
  waitsFor { path workflow kind name } messages { at path to channel body } problems { code message path } } }`

const test = async (actor: Awaited<ReturnType<Engine['organization']>>, input: Record<string, unknown>) => {
  const { testRun } = await engine.ask<{ testRun: Record<string, unknown> }>(actor, TEST, { input })
  return testRun
}

const MONTH = `
format: tutti/1
name: reminder
inputs: [customer]
steps:
  - { name: welcome, agent: mailer, input: customer, output: first }
  - { name: rest, type: wait, for: 30d }
  - { name: ask, question: "Again?", if_rejected: end }
  - { name: remind, agent: mailer, input: customer, output: second }
`
const apply = (actor: Awaited<ReturnType<Engine['organization']>>, document: string, publish = true) =>
  engine.ask<{ applyWorkflow: { workflow: { id: string } } }>(
    actor,
    'mutation($input: ApplyWorkflowInput!) { applyWorkflow(input: $input) { workflow { id } } }',
    { input: { document, publish } },
  )

it('a document that was not applied is tested as it stands, and nothing is written', async () => {
  const actor = await engine.organization()
  const result = await test(actor, {
    document: MONTH,
    input: { customer: 'ada' },
    startAt: '2026-02-01T00:00:00Z',
    mocks: [{ agent: 'mailer', expression: 'input.customer + string(call)' }],
    decisions: [{ step: 'ask', outcome: 'APPROVE', after: '1d' }],
  })
  expect(result).toMatchObject({
    status: 'COMPLETED',
    output: { outputs: { first: 'ada1', second: 'ada1' }, terminal: 'remind' },
    startedAt: '2026-02-01T00:00:00.000Z',
    endedAt: '2026-03-04T00:00:00.000Z',
    durationMs: 31 * 86_400_000,
    problems: [],
    waitsFor: [],
  })
  const [row] = await engine.rows<{ rows: number }>(
    actor,
    `select (select count(*) from workflow where organization_id = $1) + (select count(*) from run where organization_id = $1)
       + (select count(*) from task where organization_id = $1) + (select count(*) from log.event where organization_id = $1) as rows`,
  )
  expect(Number(row?.rows)).toBe(0)
})

it('what it still waits for is told, and which steps have no mock', async () => {
  const actor = await engine.organization()
  const open = await test(actor, { document: MONTH, echo: true })
  expect(open).toMatchObject({
    status: 'WAITING',
    waitsFor: [{ path: 'ask', kind: 'REVIEW', name: 'approver' }],
  })
  const bare = await test(actor, { document: MONTH })
  expect(bare).toMatchObject({
    status: 'RUNNING',
    waitsFor: [{ path: 'welcome', kind: 'MOCK', name: 'mailer' }],
    problems: [{ code: 'MOCK_MISSING', path: 'welcome' }],
  })
})

it('a draft, an older version and the published one are tested by name or id, with the sub-workflows they call', async () => {
  const actor = await engine.organization('worker')
  const child = (days: number) =>
    `format: tutti/1\nname: child\nsteps: [{ name: rest, type: wait, for: ${days}d }]\n`
  const parent = 'format: tutti/1\nname: parent\nsteps: [{ name: call, type: workflow, workflow: child }]\n'
  const { applyWorkflow } = await apply(actor, child(1))
  await apply(actor, child(2), false)
  await apply(actor, parent)
  const { id } = applyWorkflow.workflow
  const days = async (input: Record<string, unknown>) => {
    const { durationMs } = await test(actor, input)
    return Number(durationMs) / 86_400_000
  }
  expect(await days({ workflowId: id })).toBe(1)
  expect(await days({ workflowId: id, version: 2 })).toBe(2)
  expect(await days({ workflowName: 'child', version: 1 })).toBe(1)
  expect(await days({ workflowName: 'parent' })).toBe(1)
  const stranger = await engine.organization()
  await expect(test(stranger, { workflowId: id })).rejects.toThrow('NOT_FOUND')
  await expect(test(stranger, { workflowName: 'child' })).rejects.toThrow('NOT_FOUND')
  await expect(test(actor, { workflowId: id, version: 3 })).rejects.toThrow('NOT_FOUND')
})

it('mistakes are told with their paths', async () => {
  const actor = await engine.organization()
  await expect(test(actor, {})).rejects.toThrow('BAD_INPUT: Give one of')
  await expect(test(actor, { workflowName: 'a', document: MONTH })).rejects.toThrow('BAD_INPUT')
  await expect(test(actor, { document: 'steps: []' })).rejects.toThrow('INVALID_DOCUMENT')
  await expect(test(actor, { document: MONTH, mocks: [{ agent: 'mailer' }] })).rejects.toThrow(
    'BAD_INPUT: Give one',
  )
  await expect(test(actor, { document: MONTH, input: [1] })).rejects.toThrow(
    'BAD_INPUT: The input is an object',
  )
})
