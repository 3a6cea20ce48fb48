import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decide, readRun } from './operations.ts'
import { type Platform, startPlatform, type Topology } from './platform.ts'
import { runsOnRedis, startRedis } from './redis-server.ts'
import { runExample } from './run-example.ts'

const MESSAGES = 40

const FEDERATED = `{
  runs(first: 100) { nodes {
    id status
    workflow { name }
    messages { id }
    escalations { id status }
    approvals { id status }
    tasks {
      stepPath status
      agent { name type }
      quality { overallScore confidence scorer }
      approval { id status digest requestedBy { kind } }
    }
  } }
}`

interface FederatedRun {
  id: string
  status: string
  workflow: { name: string }
  messages: { id: string }[]
  escalations: { id: string }[]
  approvals: { id: string; status: string }[]
  tasks: {
    stepPath: string
    status: string
    agent: { name: string } | null
    quality: { overallScore: number; confidence: number }[]
    approval: { id: string; status: string } | null
  }[]
}

const TASK_EVENTS = `subscription($after: String, $filter: TaskEventFilter) {
  taskEvents(after: $after, filter: $filter) {
    cursor type stepPath
    task { status agent { name } quality { confidence } approval { status decidedBy { name } } }
    run { status workflow { name } }
  }
}`

const matrix: { topology: Topology; queue: 'PostgreSQL' | 'Redis' }[] = [
  { topology: 'standalone', queue: 'PostgreSQL' },
  { topology: 'distributed', queue: 'Redis' },
]

for (const { topology, queue } of matrix) {
  describe.skipIf(queue === 'Redis' && !runsOnRedis)(`the example, ${topology}, queue on ${queue}`, () => {
    const cleanup = new AsyncDisposableStack()
    let platform: Platform

    beforeAll(async () => {
      const redis = queue === 'Redis' ? cleanup.use(await startRedis()) : undefined
      platform = cleanup.use(await startPlatform(topology, redis ? { redisUrl: redis.url } : {}))
    })
    afterAll(() => cleanup.disposeAsync())

    const allRuns = async (): Promise<FederatedRun[]> =>
      (await platform.as('viewer').query<{ runs: { nodes: FederatedRun[] } }>(FEDERATED)).runs.nodes
    const waiting = async (): Promise<FederatedRun> => {
      const run = (await allRuns()).find(({ status }) => status === 'WAITING')
      if (!run) throw new Error('No run waits.')
      return run
    }
    const pendingOf = (run: FederatedRun): string => {
      const approval = run.approvals.find(({ status }) => status === 'PENDING')
      if (!approval) throw new Error('Nothing to decide.')
      return approval.id
    }

    it('answers or escalates every message, and adds nothing when it runs again', async () => {
      const { exitCode, said } = await runExample(platform, 'customer-service', '--limit', String(MESSAGES))
      expect(exitCode, said).toBe(0)
      const count = (what: string) => Number(new RegExp(`${what}\\s+(\\d+)`).exec(said)?.[1])
      expect(count('failed')).toBe(0)
      expect(count('answered') + count('escalated')).toBe(MESSAGES)
      expect(Math.min(count('answered'), count('escalated'))).toBeGreaterThan(0)

      const state = () =>
        platform.sql(`select (select count(*)::int from run) as runs, (select count(*)::int from task) as tasks,
          (select count(*)::int from outbound_message) as messages, (select count(*)::int from approval) as approvals,
          (select count(*)::int from workflow_version) as versions, (select count(*)::int from agent) as agents,
          (select count(*)::int from article) as articles`)
      const before = await state()
      expect(before).toMatchObject([
        { runs: MESSAGES, messages: count('answered'), approvals: count('escalated') },
      ])
      const again = await runExample(platform, 'customer-service', '--limit', String(MESSAGES))
      expect(again.exitCode, again.said).toBe(0)
      expect(await state()).toEqual(before)
      const tables = await platform.sql(`select 1 from pg_tables where schemaname = 'queue'`)
      expect(tables.length > 0).toBe(queue === 'PostgreSQL')
    }, 180_000)

    it('shows runs with tasks, agents, quality and approvals in one query; none was sent and escalated', async () => {
      const runs = await allRuns()
      expect(runs).toHaveLength(MESSAGES)
      for (const run of runs) {
        const paths = run.tasks.map(({ stepPath }) => stepPath)
        const sent = run.status === 'COMPLETED'
        expect(paths.includes('send_response'), run.id).toBe(sent)
        expect(paths.includes('escalate_to_human'), run.id).toBe(!sent)
        expect([run.messages.length, run.escalations.length, run.approvals.length], run.id).toEqual(
          sent ? [1, 0, 0] : [0, 1, 1],
        )
        for (const task of run.tasks) expect(task.agent?.name, task.stepPath).toBeTruthy()
        const escalation = run.tasks.find(({ stepPath }) => stepPath === 'escalate_to_human')
        if (escalation) {
          expect(escalation).toMatchObject({ status: 'WAITING', approval: { status: 'PENDING' } })
        }
      }
      const checks = runs.flatMap(({ tasks }) => tasks.filter(({ stepPath }) => stepPath === 'quality_check'))
      expect(checks.filter(({ quality }) => quality.length === 1).length).toBeGreaterThan(MESSAGES / 2)
      expect(checks.filter(({ quality }) => quality.length > 1)).toEqual([])
    })

    it('goes on when a person says yes, and sends exactly one message; the feed tells of it from three subgraphs', async () => {
      const run = await waiting()
      const events = platform.as('viewer').subscribe(TASK_EVENTS, {
        after: '0'.repeat(13),
        filter: { runId: run.id, types: ['task.completed'] },
      })
      await decide(platform.as('approver'), pendingOf(run), 'APPROVE', {
        finalArguments: { text: 'A person wrote this.' },
      })
      const seen: unknown[] = []
      for await (const delivery of events) {
        expect(delivery.errors).toBeUndefined()
        const event = delivery.data?.['taskEvents'] as { stepPath: string }
        seen.push(event)
        if (event.stepPath === 'escalate_to_human') break
      }
      expect(seen.at(-1)).toMatchObject({
        type: 'task.completed',
        task: {
          status: 'COMPLETED',
          agent: { name: 'escalation_manager' },
          approval: { status: 'APPROVED', decidedBy: { name: expect.any(String) } },
        },
        run: { workflow: { name: 'customer_service_escalation' } },
      })
      expect(seen.length).toBeGreaterThan(1)
      await expect
        .poll(async () => (await readRun(platform.as('viewer'), run.id)).status, { timeout: 10_000 })
        .toBe('COMPLETED')
      expect(await platform.sql('select body from outbound_message where run_id = $1', [run.id])).toEqual([
        { body: 'A person wrote this.' },
      ])
    })

    it('goes on when a person says no, and sends nothing', async () => {
      const run = await waiting()
      await decide(platform.as('approver'), pendingOf(run), 'REJECT', { comment: 'We call them.' })
      await expect
        .poll(async () => (await readRun(platform.as('viewer'), run.id)).status, { timeout: 10_000 })
        .toBe('COMPLETED')
      expect(await platform.sql('select 1 from outbound_message where run_id = $1', [run.id])).toEqual([])
    })
  })
}
