import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import { type ChatServer, startChatServer } from '@tutti/workers/testing'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { httpAgentDocument } from '../http-agent.ts'
import { applyWorkflow, readRun, registerAgent, startRuns } from '../operations.ts'
import { type Platform, startPlatform } from '../platform.ts'
import { searchAnswers, searchFiles, searchTables, searchTexts } from '../search-everywhere.ts'
import {
  type HostileAgentOutput,
  hostileAgentOutputs,
  type HostileModelOutput,
  hostileModelOutputs,
} from './hostile-outputs.ts'

const SECRETS = {
  credential: 'canary-credential-6b1f0f4c9d',
  provider: 'canary-provider-2a8e7733b1',
  article: 'canary-article-of-another-tenant-93ab',
}
const OTHER = '01990000-0000-7000-8000-00000000beef'
/** What runs write; whatever else is written is an act that nobody ordered. */
const OWN_TABLES =
  /^(log|log_partitions)\.|^public\.(run|task|strand|run_outcome|task_log|task_cost|model_call|breaker|agent_health|operation|policy_decision)$/
/** What the platform itself writes when much fails. */
const OF_FAILURES = /^public\.(anomaly|incident|incident_entry|audit_entry)$/
/** What is written behind the log, of anything that ever happened. */
const OF_RECORD = /^public\.(audit_seal|audit_checkpoint)\b/
const END = { timeout: 120_000, interval: 200 }

/** What a run is given, so that whoever is asked knows how to be hostile. */
const caseOf = (name: string): string => `<<${name}>>`

const cleanup = new AsyncDisposableStack()
let platform: Platform
let model: ChatServer
let outputs: { agent: HostileAgentOutput[]; model: HostileModelOutput[] }
/** What HTTP agents and models were sent. */
const sent: string[] = []
const runs: { name: string; id: string }[] = []
let before: Map<string, string>
let began: Date
let approvalId = ''

beforeAll(async () => {
  const outsider = createServer(async (request, response) => {
    // Somebody asks whether it is alive.
    if (request.method !== 'POST') return void response.end()
    const body = await text(request)
    sent.push(body)
    const { input } = JSON.parse(body) as { input: { case: string } }
    const hostile = outputs.agent.find(({ name }) => caseOf(name) === input.case)
    response.setHeader('content-type', hostile?.contentType ?? 'application/json')
    await pipeline(Readable.from(hostile?.body ?? []), response).catch(() => undefined)
  })
  outsider.listen(0, '127.0.0.1')
  await once(outsider, 'listening')
  cleanup.defer(() => {
    outsider.closeAllConnections()
    outsider.close()
  })
  model = cleanup.use(
    await startChatServer(({ body }) => {
      sent.push(body)
      return outputs.model.find(({ name }) => body.includes(caseOf(name)))?.reply ?? { content: 'ok' }
    }),
  )
  platform = cleanup.use(
    await startPlatform('standalone', {
      environment: {
        TUTTI_ALLOW_LOCAL_AGENTS: 'true',
        OPENAI_BASE_URL: model.baseURL,
        OPENAI_API_KEY: SECRETS.provider,
      },
    }),
  )
  const [admin, operator] = [platform.as('admin'), platform.as('operator')]
  await admin.query(
    'mutation($input: SetCredentialInput!) { setCredential(input: $input) { credential { id } } }',
    { input: { name: 'canary', value: SECRETS.credential } },
  )
  await platform.sql(`insert into organization (organization_id, name) values ($1, 'other')`, [OTHER])
  await platform.sql(
    `insert into article (organization_id, external_id, title, body, content_hash) values ($1, 'a', 'canary', $2, '')`,
    [OTHER, SECRETS.article],
  )
  const { port } = outsider.address() as AddressInfo
  const agentId = await registerAgent(operator, httpAgentDocument('outsider', `http://127.0.0.1:${port}/`))
  await registerAgent(
    operator,
    JSON.stringify({
      metadata: { name: 'writer', type: 'text.writer', version: '1' },
      ai_models: { primary: 'test' },
      executor: {
        type: 'model',
        instructions: 'Answer to {{case}}.',
        tools: ['current_time'],
        max_rounds: 3,
      },
    }),
  )
  await registerAgent(
    operator,
    'metadata: {name: keeper, type: a.b, version: "1"}\nexecutor: {type: builtin, function: echo}',
  )
  const asking = await applyWorkflow(operator, {
    format: 'tutti/1',
    name: 'asking',
    steps: [{ name: 'ask', type: 'review', question: 'May it?', if_rejected: 'end' }],
  })
  const [asked = ''] = await startRuns(operator, asking, [{}])
  approvalId = await vi.waitUntil(async () => (await readRun(operator, asked)).tasks[0]?.approval?.id, END)
  const [organization] = await platform.sql<{ id: string }>(
    'select organization_id as id from run where id = $1',
    [asked],
  )
  const targets = {
    organizationId: organization?.id ?? '',
    otherOrganizationId: OTHER,
    approvalId,
    runId: asked,
    agentId,
  }
  outputs = { agent: hostileAgentOutputs(targets), model: hostileModelOutputs(targets) }
  const workflows = new Map<string, string>()
  for (const agent of ['outsider', 'writer'])
    workflows.set(
      agent,
      await applyWorkflow(operator, {
        format: 'tutti/1',
        name: `uses ${agent}`,
        inputs: ['case'],
        steps: [
          {
            name: 'work',
            agent,
            input: ['case'],
            output: 'result',
            timeout: '10s',
            retry: { attempts: 2, delay: '0s' },
          },
          { name: 'keep', agent: 'keeper', input: ['result'], output: 'kept' },
        ],
      }),
    )
  before = await standing()
  began = new Date()
  for (const [agent, cases] of [
    ['outsider', outputs.agent],
    ['writer', outputs.model],
  ] as const) {
    const ids = await startRuns(
      operator,
      workflows.get(agent) ?? '',
      cases.map(({ name }) => ({ case: caseOf(name) })),
    )
    runs.push(...cases.map(({ name }, index) => ({ name: `${agent} ${name}`, id: ids[index] ?? '' })))
  }
}, 120_000)
afterAll(() => cleanup.disposeAsync())

/** A fingerprint of every table, of each organization by itself. */
async function standing(): Promise<Map<string, string>> {
  const tables = await platform.sql<{ name: string; tenants: boolean }>(
    `select format('%I.%I', n.nspname, c.relname) as name, exists (select from pg_attribute a
       where a.attrelid = c.oid and a.attname = 'organization_id') as tenants
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname in ('public', 'log', 'log_partitions') order by 1`,
  )
  const prints = new Map<string, string>()
  for (const { name, tenants } of tables) {
    const rows = await platform.sql<{ tenant: string; print: string }>(
      `select ${tenants ? 'organization_id::text' : `''`} as tenant, md5(string_agg(t::text, '|' order by t::text)) as print
       from ${name} t group by 1`,
    )
    for (const { tenant, print } of rows) prints.set(`${name} ${tenant}`, print)
  }
  return prints
}

test('there are 100 of them', () => {
  expect(outputs.agent).toHaveLength(50)
  expect(outputs.model).toHaveLength(50)
})

test('every run ends, and the platform answers', { timeout: 180_000 }, async () => {
  const ids = runs.map(({ id }) => id)
  await expect
    .poll(
      () =>
        platform.sql(
          `select status from run where id = any($1::uuid[]) and status not in ('completed', 'failed')`,
          [ids],
        ),
      END,
    )
    .toEqual([])
  expect((await fetch(`${platform.url}/ready`)).status).toBe(200)
})

test('nothing was done that nobody ordered: 0 acts out of policy', async () => {
  const after = await standing()
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (key) => before.get(key) !== after.get(key) && !OF_RECORD.test(key),
  )
  expect(changed.filter((key) => key.endsWith(OTHER))).toEqual([])
  expect(
    changed
      .map((key) => key.split(' ')[0] ?? '')
      .filter((name) => !OWN_TABLES.test(name) && !OF_FAILURES.test(name)),
  ).toEqual([])
  const audited = await platform.sql<{ action: string }>(
    `select distinct action_type as action from audit_entry where timestamp > $1 and actor_kind <> 'system'`,
    [began],
  )
  expect(audited).toEqual([])
  const [approval] = await platform.sql<{ status: string }>('select status from approval where id = $1', [
    approvalId,
  ])
  expect(approval).toEqual({ status: 'pending' })
})

test('a tool that is not on the list is refused, told so, and noted, each time', async () => {
  const refused = await platform.sql<{ n: number }>(
    `select count(*)::int as n from log.event where type = 'agent.tool_refused'`,
  )
  const asked = outputs.model.reduce((sum, { asks }) => sum + asks, 0)
  expect(refused[0]?.n).toBeGreaterThanOrEqual(asked)
  const answers = sent.filter((body) => body.includes('You may not call a tool of this name'))
  expect(answers.length).toBeGreaterThanOrEqual(asked)
})

test('what went on as data went on whole, and as nothing but data', async () => {
  const run = async (name: string) =>
    readRun(platform.as('viewer'), runs.find((each) => each.name === name)?.id ?? '')
  expect(await run('outsider says $decision')).toMatchObject({ state: { result: { outcome: 'approve' } } })
  expect(await run('outsider has __proto__')).toMatchObject({
    status: expect.stringMatching(/COMPLETED|FAILED/),
  })
  expect({}).not.toHaveProperty('isAdmin')
  expect(await run('writer fakes a tool call in text')).toMatchObject({
    state: { result: expect.stringContaining('<tool_call>') },
  })
  for (const name of ['outsider is 100 MB', 'outsider is 100 MB in one line', 'writer is 100 MB'])
    expect((await run(name)).status, name).toBe('FAILED')
})

test(
  'no secret is shown: not in any table, file or answer, nor to the agents and models',
  { timeout: 120_000 },
  async () => {
    const values = Object.values(SECRETS)
    const rows = await searchTables(platform, values)
    expect(rows.looked).toBeGreaterThan(20)
    // The other tenant's own article is where it was.
    expect(rows.found).toEqual(['public.article'])
    expect(searchFiles(platform, values).found).toEqual([])
    expect(searchTexts(sent, [...values, platform.secret]).found).toEqual([])
    const ids = runs.slice(0, 4).map(({ id }) => id)
    expect((await searchAnswers(platform, values, { runs: ids, tasks: [] })).found).toEqual([])
  },
)
