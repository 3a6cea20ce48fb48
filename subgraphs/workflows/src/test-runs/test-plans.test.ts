import { describe, expect, it } from 'vitest'
import { testWorkflow } from './test-workflow.ts'

const workflow = (plan: string) => `
format: tutti/1
name: report
inputs: [topic]
steps:
  - { name: lead, agent: boss, input: topic, output: result, retry: { attempts: 1 }, ${plan} }
  - { name: last, agent: writer, input: result, output: end }
`
const play = (plan: string, output: unknown) =>
  testWorkflow(workflow(plan), {
    input: { topic: 'tides' },
    mocks: [{ step: 'lead', output }],
    echo: true,
  })

describe('an agent that plans, in a test', () => {
  it('has its plan carried out, with the mocks of the test', async () => {
    const result = await play('plan: { max_tasks: 3 }', {
      $plan: [
        { name: 'rest', for: '30d' },
        { name: 'seek', agent: 'researcher', input: 'topic', output: 'found' },
      ],
    })
    expect(result).toMatchObject({
      status: 'completed',
      durationMs: 30 * 86_400_000,
      problems: [],
      output: {
        outputs: { result: { found: { topic: 'tides' } }, end: { result: { found: { topic: 'tides' } } } },
      },
    })
    expect(result.trace.filter(({ event }) => event === 'task_waiting').map(({ path }) => path)).toEqual([
      'lead',
      'lead>rest',
    ])
  })

  it('has its tasks done side by side', async () => {
    const tasks = ['ebb', 'flood'].map((name) => ({ name, agent: 'researcher', input: { name } }))
    expect(await play('plan: true', { $tasks: tasks })).toMatchObject({
      status: 'completed',
      output: { outputs: { result: { results: [{ name: 'ebb' }, { name: 'flood' }] } } },
    })
  })

  it('fails with what it does not permit', async () => {
    const result = await play('plan: { agents: [writer] }', {
      $plan: [{ name: 'seek', agent: 'researcher' }],
    })
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'PLAN_REFUSED', message: expect.stringContaining('$plan.0.agent') },
    })
  })

  it('says what a step of the plan waits for', async () => {
    const result = await play('plan: true', { $plan: [{ name: 'paid', signal: 'payment' }] })
    expect(result).toMatchObject({
      status: 'waiting',
      waitsFor: [{ path: 'lead>paid', kind: 'signal', name: 'payment' }],
    })
  })
})
