import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyWorkflow, readRun } from './operations.ts'
import { type Platform, startPlatform } from './platform.ts'

let platform: Platform

beforeAll(async () => {
  platform = await startPlatform('distributed', { workers: 3 })
})
afterAll(() => platform[Symbol.asyncDispose]())

const PATIENCE = { timeout: 30_000, interval: 50 }

/** A workflow without agents: it waits for what it is told, or ends at once. */
const flow = (name: string, steps: object[], inputs: string[] = []) =>
  applyWorkflow(platform.as('operator'), { format: 'tutti/1', name, inputs, steps })

interface Made {
  trigger: { id: string }
  webhook: { path: string; signingSecret: string } | null
}

async function trigger(workflowId: string, input: object): Promise<Made> {
  const { createTrigger } = await platform.as('operator').query<{ createTrigger: Made }>(
    `mutation($input: CreateTriggerInput!) {
      createTrigger(input: $input) { trigger { id } webhook { path signingSecret } }
    }`,
    { input: { workflowId, name: crypto.randomUUID(), ...input } },
  )
  return createTrigger
}

interface SeenFiring {
  status: string
  occurrence: string
  scheduledAt: string | null
  run: { id: string; status: string } | null
}

async function firings(id: string): Promise<SeenFiring[]> {
  const data = await platform.as('viewer').query<{ trigger: { firings: { nodes: SeenFiring[] } } }>(
    `query($id: ID!) {
      trigger(id: $id) { firings(first: 100) { nodes { status occurrence scheduledAt run { id status } } } }
    }`,
    { id },
  )
  return data.trigger.firings.nodes
}

const NOTE = [{ name: 'note', set: { noted: '"yes"' } }]

test('of three workers each second of a schedule is one’s, also when two of them are killed', async () => {
  const workflowId = await flow('tick', NOTE)
  const { trigger: made } = await trigger(workflowId, {
    kind: 'SCHEDULE',
    cron: '* * * * * *',
    timeZone: 'Europe/Berlin',
    missed: 'ALL',
  })
  await expect.poll(async () => (await firings(made.id)).length, PATIENCE).toBeGreaterThan(2)
  const pids = platform.tutti.pids()
  for (const name of ['worker-1', 'worker-3']) process.kill(pids[name] ?? 0, 'SIGKILL')
  const before = (await firings(made.id)).length
  await expect.poll(async () => (await firings(made.id)).length, PATIENCE).toBeGreaterThan(before + 3)
  await platform
    .as('operator')
    .query('mutation($id: ID!) { pauseTrigger(input: { id: $id }) { trigger { id } } }', { id: made.id })
  await expect
    .poll(async () => (await firings(made.id)).every(({ status }) => status === 'STARTED'), PATIENCE)
    .toBe(true)
  const seconds = (await firings(made.id))
    .map(({ scheduledAt }) => Date.parse(scheduledAt ?? '') / 1_000)
    .toReversed()
  const [first = 0] = seconds
  expect(seconds).toEqual(seconds.map((_, index) => first + index))
  const [runs] = await platform.sql<{ runs: number; firings: number }>(
    `select (select count(*)::int from run where trigger_id = $1) as runs,
       (select count(distinct run_id)::int from trigger_firing where trigger_id = $1) as firings`,
    [made.id],
  )
  expect(runs).toEqual({ runs: seconds.length, firings: seconds.length })
}, 120_000)

/** As the Standard Webhooks specification has it. */
function signedHeaders(secret: string, id: string, body: string): Record<string, string> {
  const timestamp = Math.floor(Date.now() / 1_000)
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  }
}

test('a signed call of a hook starts a run at the gateway, a replay does not', async () => {
  const workflowId = await flow('hooked', [{ name: 'note', set: { doubled: 'n * 2' } }], ['n'])
  const { webhook } = await trigger(workflowId, { kind: 'WEBHOOK' })
  const body = '{"n": 21}'
  const post = (headers: Record<string, string>) =>
    fetch(`${platform.url}${webhook?.path}`, { method: 'POST', headers, body })
  const headers = signedHeaders(webhook?.signingSecret ?? '', 'msg_1', body)
  const answer = await post(headers)
  expect(answer.status).toBe(202)
  const { runId } = Object(await answer.json())
  await expect
    .poll(async () => (await readRun(platform.as('viewer'), runId)).status, PATIENCE)
    .toBe('COMPLETED')
  expect(await readRun(platform.as('viewer'), runId)).toMatchObject({ state: { doubled: 42 } })
  expect((await post(headers)).status).toBe(409)
  expect((await post({ ...headers, 'webhook-id': 'msg_2' })).status).toBe(404)
  const unknown = await fetch(`${platform.url}/hooks/${'A'.repeat(43)}`, { method: 'POST', headers, body })
  expect(unknown.status).toBe(404)
  expect(await unknown.text()).toBe(await (await post({ ...headers, 'webhook-signature': 'v1,AAAA' })).text())
})

test('an event that an integrator publishes starts one run and wakes another, which then waits for a signal', async () => {
  const agent = platform.as('agent')
  const waiting = await flow(
    'payment',
    [
      {
        name: 'paid',
        type: 'wait',
        event: 'com.shop.paid',
        filter: 'event.data.order == order',
        output: 'payment',
      },
      { name: 'go', type: 'wait', signal: 'go', output: 'went' },
    ],
    ['order'],
  )
  const started = await flow('receipt', NOTE)
  const { trigger: made } = await trigger(started, {
    kind: 'EVENT',
    eventType: 'com.shop.*',
    filter: 'event.data.total > 10',
  })
  const { startRun } = await platform
    .as('operator')
    .query<{ startRun: { run: { id: string } } }>(
      'mutation($input: StartRunInput!) { startRun(input: $input) { run { id } } }',
      { input: { workflowId: waiting, input: { order: 7 } } },
    )
  const publish = (order: number, total: number) =>
    agent.query('mutation($input: PublishEventInput!) { publishEvent(input: $input) { created } }', {
      input: { type: 'com.shop.paid', source: '/shop', id: `${order}`, data: { order, total } },
    })
  await publish(6, 5)
  await publish(7, 50)
  await publish(7, 50)
  await expect
    .poll(async () => (await firings(made.id)).map(({ run }) => run?.status), PATIENCE)
    .toEqual(['COMPLETED'])
  const viewer = platform.as('viewer')
  await expect
    .poll(async () => (await readRun(viewer, startRun.run.id)).state, PATIENCE)
    .toMatchObject({ payment: { type: 'com.shop.paid', source: '/shop', data: { order: 7, total: 50 } } })
  await platform
    .as('operator')
    .query('mutation($input: SignalRunInput!) { signalRun(input: $input) { created } }', {
      input: { runId: startRun.run.id, name: 'go', payload: { by: 'hand' } },
    })
  await expect.poll(async () => (await readRun(viewer, startRun.run.id)).status, PATIENCE).toBe('COMPLETED')
  expect(await readRun(viewer, startRun.run.id)).toMatchObject({ state: { went: { by: 'hand' } } })
})
