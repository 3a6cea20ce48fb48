import { createHmac, timingSafeEqual } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AgentCall,
  type AgentReply,
  type HttpAgent,
  httpAgentDocument,
  startHttpAgent,
} from './http-agent.ts'
import { applyWorkflow, decide, readRun, registerAgent, type RunSeen, startRuns } from './operations.ts'
import { type Platform, startPlatform } from './platform.ts'

const cleanup = new AsyncDisposableStack()
let platform: Platform
let agent: HttpAgent
let agentId = ''
/** By the run's `case`: what the agent answers to each call of it. */
const answers = new Map<string, (call: AgentCall, count: number) => AgentReply>()
const callsOf = (name: string) => agent.calls.filter(({ json }) => json.input['case'] === name)

beforeAll(async () => {
  agent = cleanup.use(
    await startHttpAgent((call) => {
      const name = String(call.json.input['case'])
      return answers.get(name)?.(call, callsOf(name).length) ?? { output: { done: name } }
    }),
  )
  platform = cleanup.use(
    await startPlatform('standalone', { environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true' } }),
  )
  agentId = await registerAgent(platform.as('operator'), httpAgentDocument('elsewhere', agent.url))
})
afterAll(() => cleanup.disposeAsync())

async function startCase(steps: object[], name: string): Promise<string> {
  const operator = platform.as('operator')
  const workflowId = await applyWorkflow(operator, { format: 'tutti/1', name, inputs: ['case'], steps })
  const [id = ''] = await startRuns(operator, workflowId, [{ case: name }])
  return id
}

async function until(id: string, condition: (run: RunSeen) => boolean): Promise<RunSeen> {
  await expect
    .poll(async () => condition(await readRun(platform.as('viewer'), id)), { timeout: 20_000 })
    .toBe(true)
  return readRun(platform.as('viewer'), id)
}
const ended = ({ status }: RunSeen) => status === 'COMPLETED' || status === 'FAILED'
const asked = (run: RunSeen) => run.tasks.some(({ approval }) => approval?.status === 'PENDING')
const approvalOf = (run: RunSeen, stepPath: string) => {
  const approval = run.tasks.find((task) => task.stepPath === stepPath)?.approval
  if (!approval) throw new Error(`Nobody is asked at "${stepPath}".`)
  return approval
}

/** As the Standard Webhooks specification has it: `v1,base64(HMAC-SHA256(secret, id.timestamp.body))`. */
function isSigned({ headers, body }: AgentCall, secret: Buffer): boolean {
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const right = createHmac('sha256', secret).update(signed).digest()
  return String(headers['webhook-signature'])
    .split(' ')
    .map((each) => each.split(','))
    .some(([version, text = '']) => {
      const given = Buffer.from(text, 'base64')
      return version === 'v1' && given.length === right.length && timingSafeEqual(given, right)
    })
}

/** As an administrator is shown it. */
async function secretOf(id: string): Promise<Buffer> {
  const { revealSigningSecret } = await platform
    .as('admin')
    .query<{ revealSigningSecret: { secret: string } }>(
      'mutation($id: ID!) { revealSigningSecret(input: { agentId: $id }) { secret } }',
      { id },
    )
  return Buffer.from(revealSigningSecret.secret.replace('whsec_', ''), 'base64')
}

describe('an HTTP agent', () => {
  it('gets the input, signed with its own secret, and its output is the step’s', async () => {
    const id = await startCase(
      [{ name: 'work', agent: 'elsewhere', input: ['case'], output: 'result' }],
      'signed',
    )
    const run = await until(id, ended)
    expect(run).toMatchObject({ status: 'COMPLETED', state: { result: { done: 'signed' } } })
    const [call, ...more] = callsOf('signed')
    if (!call) throw new Error('It was not called.')
    expect(more).toEqual([])
    expect(call.json).toMatchObject({ runId: id, step: 'work', attempt: 1, input: { case: 'signed' } })
    const own = await secretOf(agentId)
    const other = await registerAgent(platform.as('operator'), httpAgentDocument('another', agent.url))
    expect(isSigned(call, own)).toBe(true)
    expect(isSigned(call, await secretOf(other))).toBe(false)
    expect(isSigned({ ...call, body: `${call.body} ` }, own)).toBe(false)
    const age = Date.now() / 1000 - Number(call.headers['webhook-timestamp'])
    expect(age).toBeLessThan(300)
  })

  it('that answers 503 is asked again with the same key', async () => {
    answers.set('flaky', (_, count) => (count < 3 ? { status: 503 } : { output: 'at last' }))
    const id = await startCase(
      [{ name: 'work', agent: 'elsewhere', input: ['case'], output: 'result', retry_delay_seconds: 0.05 }],
      'flaky',
    )
    const run = await until(id, ended)
    expect(run).toMatchObject({ status: 'COMPLETED', state: { result: 'at last' }, tasks: [{ attempt: 3 }] })
    const calls = callsOf('flaky')
    expect(calls.map(({ json }) => json.attempt)).toEqual([1, 2, 3])
    expect(new Set(calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  })

  it('that answers 503 to every try fails the run, after as many tries as the step has', async () => {
    answers.set('down', () => ({ status: 503 }))
    const id = await startCase(
      [{ name: 'work', agent: 'elsewhere', input: ['case'], retry_attempts: 1, retry_delay_seconds: 0.05 }],
      'down',
    )
    expect(await until(id, ended)).toMatchObject({ status: 'FAILED' })
    expect(callsOf('down')).toHaveLength(2)
  })

  it('that answers 400 fails the step without another try', async () => {
    answers.set('refuses', () => ({ status: 400 }))
    const id = await startCase([{ name: 'work', agent: 'elsewhere', input: ['case'] }], 'refuses')
    const run = await until(id, ended)
    expect(run).toMatchObject({
      status: 'FAILED',
      tasks: [{ status: 'FAILED', error: { code: 'AGENT_REFUSED' } }],
    })
    expect(callsOf('refuses')).toHaveLength(1)
  })

  it('that fails for good leads to the fallback, when the step has one', async () => {
    answers.set('mended', ({ json }) => (json.step === 'work' ? { status: 400 } : { output: 'mended' }))
    const id = await startCase(
      [
        { name: 'work', agent: 'elsewhere', input: ['case'], next: 'end', fallback_action: 'mend' },
        { name: 'mend', agent: 'elsewhere', input: ['case'], output: 'result' },
      ],
      'mended',
    )
    expect(await until(id, ended)).toMatchObject({ status: 'COMPLETED', state: { result: 'mended' } })
    expect(callsOf('mended').map(({ json }) => json.step)).toEqual(['work', 'mend'])
  })
})

describe('a person', () => {
  it('who is the agent of a step is waited for; the decision is the step’s output', async () => {
    await registerAgent(
      platform.as('operator'),
      'metadata: { name: clerk, type: service.person, version: 1.0.0 }\nexecutor: { type: person }\n',
    )
    const id = await startCase(
      [
        { name: 'look', agent: 'clerk', input: ['case'], output: 'looked' },
        { name: 'work', agent: 'elsewhere', input: ['case', 'looked'] },
      ],
      'person',
    )
    const waiting = await until(id, asked)
    expect(waiting.status).toBe('WAITING')
    expect(callsOf('person')).toEqual([])
    const approval = approvalOf(waiting, 'look')
    expect(approval.arguments).toEqual({ case: 'person' })
    await decide(platform.as('approver'), approval.id, 'APPROVE', { comment: 'Seen.' })
    const run = await until(id, ended)
    expect(run).toMatchObject({
      status: 'COMPLETED',
      state: { looked: { decision: 'approved', comment: 'Seen.' } },
    })
    expect(callsOf('person')[0]?.json.input).toMatchObject({ looked: { decision: 'approved' } })
  })

  const reviewed = [
    { name: 'draft', agent: 'elsewhere', input: ['case'], output: 'text' },
    {
      name: 'check',
      type: 'review',
      question: 'May this go out?',
      input: ['text'],
      output: 'verdict',
      if_approved: 'publish',
      if_rejected: 'discard',
    },
    { name: 'publish', agent: 'elsewhere', input: ['case'], next: 'end' },
    { name: 'discard', agent: 'elsewhere', input: ['case'] },
  ]

  it.each([
    ['APPROVE', 'publish'],
    ['REJECT', 'discard'],
  ] as const)('who is asked by a review step and says %s sends the run to "%s"', async (decision, goesTo) => {
    const name = `review-${goesTo}`
    const id = await startCase(reviewed, name)
    const waiting = await until(id, asked)
    const approval = approvalOf(waiting, 'check')
    expect(approval).toMatchObject({ title: 'May this go out?', arguments: { text: { done: name } } })
    await decide(platform.as('approver'), approval.id, decision)
    const run = await until(id, ended)
    expect(run.status).toBe('COMPLETED')
    expect(run.tasks.map(({ stepPath, status }) => `${stepPath} ${status}`)).toEqual([
      'draft COMPLETED',
      'check COMPLETED',
      `${goesTo} COMPLETED`,
    ])
    expect(callsOf(name).map(({ json }) => json.step)).toEqual(['draft', goesTo])
  })

  it('with an agent’s or a viewer’s key decides nothing', async () => {
    const id = await startCase(reviewed, 'review-refused')
    const { id: approval } = approvalOf(await until(id, asked), 'check')
    for (const role of ['agent', 'viewer'] as const) {
      const { body } = await platform
        .as(role)
        .send(
          'mutation($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { id } } }',
          {
            input: { id: approval, decision: 'APPROVE' },
          },
        )
      expect(body.errors?.[0]?.extensions?.['code'], role).toBe('FORBIDDEN')
    }
    expect((await readRun(platform.as('viewer'), id)).status).toBe('WAITING')
  })
})
