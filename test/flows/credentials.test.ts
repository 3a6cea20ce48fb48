import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codesOf } from '../world/caller.ts'
import { type EchoingServer, startEchoingServer, WAYS } from './echoing-server.ts'
import { applyWorkflow, readRun, registerAgent, startRuns } from './operations.ts'
import { type Platform, startPlatform, type Topology } from './platform.ts'
import { runsOnRedis, startRedis } from './redis-server.ts'
import {
  type Search,
  searchAnswers,
  searchFiles,
  searchRedis,
  searchTables,
  searchTexts,
} from './search-everywhere.ts'

const canary = (word: string) => `canary-${word}-${randomBytes(18).toString('base64url')}`

const SET =
  'mutation($input: SetCredentialInput!) { setCredential(input: $input) { credential { id name lastFour } } }'
const ROTATE =
  'mutation($input: RotateCredentialInput!) { rotateCredential(input: $input) { credential { id lastFour } } }'

const agentDocument = (name: string, url: string, authorization: string): string => `
metadata: { name: ${name}, type: service.test, version: 1.0.0 }
executor: { type: http, url: "${url}", authorization: ${authorization} }
`

const QUEUES: [Topology, 'Redis' | 'PostgreSQL'][] = [
  ['standalone', 'PostgreSQL'],
  ...(runsOnRedis ? [['distributed', 'Redis'] satisfies [Topology, 'Redis']] : []),
]

describe.each(QUEUES)('%s, with its queue in %s, at log level trace', (topology, queue) => {
  const cleanup = new AsyncDisposableStack()
  let platform: Platform
  let server: EchoingServer
  let redisUrl: string | undefined
  const spans = join(mkdtempSync(join(tmpdir(), 'tutti-spans-')), 'spans.jsonl')
  const values = {
    token: canary('token'),
    rotated: canary('rotated'),
    password: `user:${canary('password')}`,
    provider: canary('provider'),
    environment: canary('environment'),
    refused: canary('refused'),
  }
  const all = Object.values(values)
  const runs: string[] = []
  let tokenId = ''

  beforeAll(async () => {
    server = cleanup.use(await startEchoingServer())
    if (queue === 'Redis') redisUrl = cleanup.use(await startRedis()).url
    platform = cleanup.use(
      await startPlatform(topology, {
        ...(redisUrl === undefined ? {} : { redisUrl }),
        environment: {
          TUTTI_ALLOW_LOCAL_AGENTS: 'true',
          LOG_LEVEL: 'trace',
          NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'fixtures/write-spans.ts')).href}`,
          TUTTI_TEST_SPANS: spans,
          TUTTI_MASTER_KEY: randomBytes(32).toString('base64'),
          OPENAI_BASE_URL: server.modelUrl,
          OPENAI_API_KEY: values.environment,
        },
      }),
    )
    const [admin, operator] = [platform.as('admin'), platform.as('operator')]
    const { setCredential } = await admin.query<{ setCredential: { credential: { id: string } } }>(SET, {
      input: { name: 'token', value: values.token },
    })
    tokenId = setCredential.credential.id
    await admin.query(SET, {
      input: {
        name: 'password',
        value: values.password,
        kind: 'PASSWORD',
        origins: [new URL(server.url).origin],
      },
    })
    await admin.query(SET, { input: { name: 'provider/openai', value: values.provider, provider: 'openai' } })
    await admin.query(SET, {
      input: { name: 'elsewhere', value: values.refused, origins: ['https://elsewhere.example'] },
    })
    await registerAgent(operator, agentDocument('bearer', `${server.url}/bearer`, '{ credential: token }'))
    await registerAgent(
      operator,
      agentDocument('basic', `${server.url}/basic`, '{ credential: password, scheme: Basic }'),
    )
    await registerAgent(operator, agentDocument('lost', server.url, '{ credential: nowhere }'))
    await registerAgent(operator, agentDocument('astray', server.url, '{ credential: elsewhere }'))
    await registerAgent(
      operator,
      'metadata: { name: writer, type: a.b, version: "1" }\nai_models: { primary: test }\nexecutor: { type: builtin, function: generate_post }',
    )
  })
  afterAll(async () => {
    await cleanup.disposeAsync()
    rmSync(dirname(spans), { recursive: true })
  })

  /** One run of one step, to its end. */
  async function run(agent: string, way: string) {
    const step = {
      name: 'work',
      agent,
      input: ['case'],
      output: 'result',
      timeout: '2s',
      retry_attempts: 1,
      retry_delay_seconds: 0.05,
    }
    const name = `${agent} ${way} ${runs.length}`
    const operator = platform.as('operator')
    const workflowId = await applyWorkflow(operator, {
      format: 'tutti/1',
      name,
      inputs: ['case'],
      steps: [step],
    })
    const [id = ''] = await startRuns(operator, workflowId, [{ case: way }])
    runs.push(id)
    await expect
      .poll(async () => (await readRun(platform.as('viewer'), id)).status, { timeout: 20_000 })
      .toMatch(/^(COMPLETED|FAILED)$/)
    return readRun(platform.as('viewer'), id)
  }

  it.each(WAYS)('an agent gets its credential, and tells of it in vain: it %s', async (way) => {
    const before = server.sent.length
    const seen = await Promise.all(['bearer', 'basic'].map((agent) => run(agent, way)))
    for (const [path, sent] of [
      ['/bearer', `Bearer ${values.token}`],
      ['/basic', `Basic ${Buffer.from(values.password).toString('base64')}`],
    ]) {
      const asked = server.sent.slice(before).filter((each) => each.path === path)
      expect([...new Set(asked.map(({ headers }) => headers.authorization))]).toEqual([sent])
    }
    for (const { status, state, error } of seen) {
      expect(status).toBe(way === 'succeeds' ? 'COMPLETED' : 'FAILED')
      if (way === 'succeeds') expect(JSON.stringify(state)).toContain('[redacted]')
      if (way === 'fails') expect(error?.message).toContain('[redacted]')
    }
  })

  it('a language model is asked with the organization’s own key, before that of the environment', async () => {
    const before = server.asked.length
    const [first, second] = [await run('writer', 'x'), await run('writer', 'x')]
    expect([...new Set(server.asked.slice(before))]).toEqual([`Bearer ${values.provider}`])
    expect(first).toMatchObject({
      status: 'COMPLETED',
      state: { result: { text: expect.stringContaining('[redacted]') } },
    })
    expect(second.status).toBe('FAILED')
  })

  it.each([
    ['lost', 'CREDENTIAL_NOT_FOUND'],
    ['astray', 'CREDENTIAL_REFUSED'],
  ])('a step whose agent is %s fails with %s, at once and without a call', async (agent, code) => {
    const before = server.sent.length
    expect(await run(agent, 'succeeds')).toMatchObject({
      status: 'FAILED',
      tasks: [{ attempt: 1, error: { code } }],
    })
    expect(server.sent.length).toBe(before)
  })

  it('a rotated value is used within seconds, and no step needs to be told', async () => {
    await platform.as('admin').query(ROTATE, { input: { id: tokenId, value: values.rotated } })
    await platform.as('admin').query('mutation { rotateDataKey(input: {}) { version reencrypted } }')
    await expect
      .poll(
        async () => {
          await run('bearer', 'succeeds')
          return server.sent.at(-1)?.headers.authorization
        },
        { timeout: 20_000 },
      )
      .toBe(`Bearer ${values.rotated}`)
  })

  it('requests with mistakes are refused without the value in the answer', async () => {
    const admin = platform.as('admin')
    const given: [string, Record<string, unknown>][] = [
      [SET, { input: { name: 'token', value: values.token } }],
      [SET, { input: { name: 'no good', value: values.token } }],
      [SET, { input: { name: 'x', value: `${values.token}\n` } }],
      [SET, { input: { name: 'x', value: values.token, unknown: true } }],
      [SET, { input: { value: values.token } }],
      [SET, { input: { name: 'x', value: [values.token] } }],
      [SET, { input: { name: 'x', value: { secret: values.token } } }],
      [ROTATE, { input: { id: 'x', value: values.token } }],
    ]
    for (const [query, variables] of given) {
      const answer = await admin.send(query, variables)
      expect(codesOf(answer), answer.text).toHaveLength(1)
      expect(answer.text).not.toContain(values.token)
    }
    for (const role of ['operator', 'viewer'] as const) {
      const answer = await platform.as(role).send(SET, { input: { name: 'x', value: values.token } })
      expect(codesOf(answer)).toEqual(['FORBIDDEN'])
      expect(answer.text).not.toContain(values.token)
    }
  })

  const clean = (least: number) => (search: Search) => {
    expect(search.found).toEqual([])
    expect(search.looked).toBeGreaterThan(least)
  }

  it('the values are in no table, no file, no log, no span, no queue and no answer', async () => {
    // What every step ran as, so that the search has something to find.
    const said = await platform.sql<{ n: number }>(
      `select count(*)::int as n from task_log where message like '%[redacted]%'`,
    )
    expect(said[0]?.n).toBeGreaterThan(0)
    const tasks = await platform.sql<{ id: string }>('select id from task')
    clean(30)(await searchTables(platform, all))
    clean(3)(searchFiles(platform, all))
    clean(50)(searchTexts(readFileSync(spans, 'utf8').split('\n'), all))
    clean(50)(await searchAnswers(platform, all, { runs, tasks: tasks.map(({ id }) => id) }))
    if (redisUrl !== undefined) clean(0)(await searchRedis(redisUrl, all))
  })

  it('the search finds what is there', async () => {
    const loud = canary('loud')
    await platform
      .as('operator')
      .query('mutation($input: CreateDomainInput!) { createDomain(input: $input) { domain { id } } }', {
        input: { name: loud },
      })
    expect(searchTexts([readFileSync(spans, 'utf8')], ['tutti.step']).found).toHaveLength(1)
    expect((await searchTables(platform, [loud])).found).toContain('public.domain')
    expect((await searchAnswers(platform, [loud], { runs: [], tasks: [] })).found.length).toBeGreaterThan(0)
    expect(
      searchFiles(platform, ['started']).found.length + searchFiles(platform, ['level']).found.length,
    ).toBeGreaterThan(0)
  })
})
