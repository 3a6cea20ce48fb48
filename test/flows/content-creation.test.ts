import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startChatServer } from './chat-server.ts'
import { decide, readRun, type RunSeen } from './operations.ts'
import { type Platform, startPlatform } from './platform.ts'
import { runExample } from './run-example.ts'

const RUNS = `{
  triggers(first: 50) { nodes { name cron firings(first: 10) { nodes { status scheduledAt run { id } } } } }
}`

interface Seen {
  triggers: {
    nodes: {
      name: string
      cron: string
      firings: { nodes: { status: string; scheduledAt: string | null; run: { id: string } | null }[] }
    }[]
  }
}

const steps = (run: RunSeen) => run.tasks.map(({ stepPath, status }) => `${stepPath} ${status}`)
const WORKED = ['research_trends COMPLETED', 'generate_content COMPLETED', 'review_content COMPLETED']

describe('the example of content creation', () => {
  const cleanup = new AsyncDisposableStack()
  let platform: Platform
  const runs = new Map<string, string>()
  const runOf = (name: string) => readRun(platform.as('viewer'), runs.get(name) ?? '')
  const outbox = (name: string) =>
    platform.sql('select channel, recipient, body from outbound_message where run_id = $1', [runs.get(name)])

  beforeAll(async () => {
    platform = cleanup.use(await startPlatform())
  })
  afterAll(() => cleanup.disposeAsync())

  it('is applied, fired by its cron schedules once a day, and adds nothing when it runs again', async () => {
    for (const _ of [1, 2]) {
      const { exitCode, said } = await runExample(platform, 'content-creation', '--cron', '30 7 * * 1-5')
      expect(exitCode, said).toBe(0)
      expect(said).toMatch(/post for home brewers: scheduled/)
      expect(said).toMatch(/post for offices: with a person/)
      expect(said).toContain('"decision":"APPROVE"')
    }
    const { triggers } = await platform.as('viewer').query<Seen>(RUNS)
    // The agents' own documents let them start by themselves, too.
    const [ofAgents = [], ofWorkflow = []] = [true, false].map((own) =>
      triggers.nodes.filter(({ name }) => name.startsWith('agent: ') === own),
    )
    expect(new Set(ofAgents.map(({ cron }) => cron))).toEqual(new Set(['0 9 * * *']))
    expect(ofWorkflow.map(({ name, cron }) => `${cron} ${name}`).sort()).toEqual([
      '30 7 * * 1-5 post for home brewers',
      '30 7 * * 1-5 post for offices',
    ])
    for (const { name, firings } of ofWorkflow) {
      const days = new Set(firings.nodes.map(({ scheduledAt }) => scheduledAt?.slice(0, 10)))
      expect(firings.nodes.map(({ status }) => status)).toEqual(Array(days.size).fill('STARTED'))
      runs.set(name, firings.nodes[0]?.run?.id ?? '')
    }
    const firings = ofWorkflow.flatMap(({ firings: { nodes } }) => nodes)
    const count = `select count(*)::int as count from run r join workflow w
      on w.organization_id = r.organization_id and w.id = r.workflow_id where w.name not like 'agent: %'`
    expect(await platform.sql(count)).toEqual([{ count: firings.length }])
  })

  it('schedules by itself what is good, on the brand and harmless', async () => {
    const run = await runOf('post for home brewers')
    expect(steps(run)).toEqual([...WORKED, 'schedule_post COMPLETED'])
    expect(run).toMatchObject({
      status: 'COMPLETED',
      state: {
        trends: { days: 7, topics: [{ topic: 'coldbrew' }, {}, {}] },
        generated_content: { written_by: 'rules', topic: 'coldbrew' },
        review: { quality_score: 1, brand_alignment: 1 },
        scheduled_post: { publish_at: expect.stringMatching(/T17:00:00.000Z$/) },
      },
    })
    await expect
      .poll(() =>
        platform.sql('select message from task_log where run_id = $1', [runs.get('post for home brewers')]),
      )
      .toEqual([{ message: '19 posts read, 3 trends found.' }])
    expect(await outbox('post for home brewers')).toMatchObject([
      { channel: 'publication', recipient: 'short_post', body: expect.stringContaining('Lindgren & Voss') },
    ])
  })

  it('asks a person about a sensitive subject, and schedules the post when they say yes', async () => {
    const run = await runOf('post for offices')
    expect(steps(run)).toEqual([...WORKED, 'human_review WAITING'])
    const approval = run.tasks.find(({ stepPath }) => stepPath === 'human_review')?.approval
    expect(approval).toMatchObject({
      status: 'PENDING',
      title: 'Publish this post?',
      arguments: { generated_content: { text: expect.stringContaining('medical') } },
    })
    expect(await outbox('post for offices')).toEqual([])
    await decide(platform.as('approver'), approval?.id ?? '', 'APPROVE', { comment: 'The study is sound.' })
    await expect
      .poll(async () => (await runOf('post for offices')).status, { timeout: 10_000 })
      .toBe('COMPLETED')
    expect(await runOf('post for offices')).toMatchObject({
      state: {
        decision: { outcome: 'approve', comment: 'The study is sound.' },
        scheduled_post: { publish_at: expect.stringMatching(/T11:00:00.000Z$/) },
      },
    })
    expect(await outbox('post for offices')).toHaveLength(1)
  })
})

describe('with a language model at OPENAI_BASE_URL', () => {
  it('the model writes the posts, and what it writes off the brand reaches a person', async () => {
    await using model = await startChatServer(() => ({ text: 'BUY NOW!! #cheap' }))
    await using platform = await startPlatform('standalone', {
      environment: { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'a-key-for-tests' },
    })
    const { exitCode, said } = await runExample(platform, 'content-creation')
    expect(exitCode, said).toBe(0)
    expect(said).toMatch(/post for home brewers: with a person\n {2}BUY NOW!! #cheap/)
    expect(said).toMatch(/post for offices: with a person/)
    expect(model.requests.some((request) => request.includes('How do you brew yours?'))).toBe(true)
  })
})
