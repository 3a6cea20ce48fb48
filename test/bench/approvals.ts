import { setTimeout as wait } from 'node:timers/promises'
import { requestApproval } from '@tutti/governance/domain'
import type { EventData } from '@tutti/schema'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { type Bench, interleave, percentile, type Round } from './bench.ts'
import { startTestPostgres } from './start-postgres.ts'

const DECIDERS = 16
const WARM = 20
const WORKFLOW = `
name: ask
inputs: [text]
steps:
  - { name: ask, type: review, question: Publish?, input: text, output: decision, if_rejected: stop }
  - { name: stop, type: end }
`
const DECIDE = `mutation ($id: ID!) {
  decideApproval(input: { id: $id, decision: APPROVE }) { approval { status } }
}`
const DECIDE_MANY = `mutation ($decisions: [DecideApprovalInput!]!) {
  decideApprovals(input: { decisions: $decisions }) { results { approval { status } } }
}`
const AT_ONCE = 20

/**
 * Decisions on a PostgreSQL as `npm start` has it, over the gateway's HTTP. `resume_*`: from the request that decides a review,
 * one at a time, to the event of the end of its run in the log's reader. `decisions`: 16 people, one decision after another,
 * of approvals that are asked before; `bulk_decisions`: 20 in a request. Tables are analysed first, as autovacuum does it within a
 * minute; the figures have the callers' share of the machine in them.
 */
export const bench: Bench = {
  name: 'approvals',
  async run(context) {
    await using _postgres = await startTestPostgres()
    await using world = await startWorld({ workers: true })
    const org = await world.organization()
    await org
      .as('operator')
      .query('mutation($d: String!) { applyWorkflow(input: { document: $d }) { changed } }', {
        d: WORKFLOW,
      })
    await resume(world, org, WARM)
    await decisions(world, org, 100)
    const runs = context.quick ? 60 : 300
    const count = context.quick ? 500 : 10_000
    await interleave(context, {
      tutti: async () => ({
        ...(await resume(world, org, runs)),
        decisions: await decisions(world, org, count),
        bulk_decisions: await decisions(world, org, count, AT_ONCE),
      }),
    })
  },
}

async function resume({ data }: World, org: Organization, runs: number): Promise<Round> {
  const over = new Map<string, () => void>()
  const leaving = new AbortController()
  const feed = data.tail.subscribe(
    { organizationId: org.id, types: ['run.completed'] },
    { after: null, signal: leaving.signal },
  )
  const listening = (async () => {
    for await (const event of feed) over.get((event.data as EventData<'run.completed'>).runId)?.()
  })()
  const latencies: number[] = []
  for (let made = 0; made < runs; made++) {
    const { startRun } = await org
      .as('operator')
      .query<{ startRun: { run: { id: string } } }>(
        'mutation { startRun(input: { workflowName: "ask", input: { text: "T" } }) { run { id } } }',
      )
    const ended = new Promise<void>((resolve) => over.set(startRun.run.id, resolve))
    const id = await approvalOf(org, startRun.run.id)
    const began = performance.now()
    await org.as('approver').query(DECIDE, { id })
    await ended
    latencies.push(performance.now() - began)
  }
  leaving.abort()
  await listening
  return {
    resume_p50: { value: percentile(latencies, 0.5), unit: 'ms' },
    resume_p99: { value: percentile(latencies, 0.99), unit: 'ms' },
  }
}

/** What the run asks, once its task is known to wait for it. */
async function approvalOf(org: Organization, runId: string): Promise<string> {
  for (;;) {
    const { run } = await org
      .as('viewer')
      .query<{ run: { status: string; approvals: { id: string }[] } }>(
        'query($id: ID!) { run(id: $id) { status approvals { id } } }',
        { id: runId },
      )
    const [approval] = run.approvals
    if (approval && run.status === 'WAITING') return approval.id
    await wait(2)
  }
}

async function decisions(
  world: World,
  org: Organization,
  count: number,
  atOnce = 1,
): Promise<{ value: number; unit: string }> {
  const sample = await requestApproval(world.data, org.actor('operator'), {
    requestKey: crypto.randomUUID(),
    title: 'Refund?',
    action: 'refund',
    arguments: { order: 4711, amount: 100 },
    reason: 'It was broken.',
  })
  const asked = await world.asOwner<{ id: string }>(
    `insert into approval (organization_id, request_key, title, action, arguments, digest, reason, requested_by, stages)
     select organization_id, uuidv7()::text, title, action, arguments, digest, reason, requested_by, stages
     from approval, generate_series(1, $2) where id = $1 returning id`,
    [sample.id, count],
  )
  await world.asOwner('analyze approval, approval_decision', [])
  const began = performance.now()
  const deciding = Array.from({ length: DECIDERS }, async () => {
    for (let next = asked.splice(-atOnce); next.length > 0; next = asked.splice(-atOnce))
      if (atOnce === 1) await org.as('approver').query(DECIDE, next[0])
      else
        await org.as('approver').query(DECIDE_MANY, {
          decisions: next.map(({ id }) => ({ id, decision: 'APPROVE' })),
        })
  })
  await Promise.all(deciding)
  return { value: (count * 1_000) / (performance.now() - began), unit: '1/s' }
}
