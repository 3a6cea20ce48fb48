import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../testing/open-engine.ts'
import { bindApproval, resumeReviews, type TaskDecision } from './resume-task.ts'

let engine: Engine

beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const ASK = `format: tutti/1
name: asks
steps:
  - {name: ask, type: review, question: "Good?", if_rejected: stop, output: verdict}
  - {name: stop, type: end}
`
const WORD = `name: tells\nsteps:\n  - {name: tell, agent: writer, output: told}\n`

const decided = (approvalId: string, decision: TaskDecision['decision']): TaskDecision => ({
  approvalId,
  decision,
  decidedBy: 'Ann',
  comment: null,
  arguments: {},
})

test('reviews that are decided together go on together, each by its own decision and once', async () => {
  const actor = await engine.organization('writer')
  const services = { database: engine.world.database }
  await using _worker = engine.work(actor, async () => ({ type: 'waiting', approvalId: crypto.randomUUID() }))
  const runs = await Promise.all([1, 2, 3, 4].map(() => engine.start(actor, ASK)))
  const told = await engine.start(actor, WORD)
  const waitingOf = async (id: string): Promise<string> => {
    const { data } = await engine.event(
      actor,
      /^task\.waiting$/,
      (event) => 'runId' in event.data && event.data.runId === id,
    )
    return 'taskId' in data && data.taskId !== null ? data.taskId : ''
  }
  const tasks = await Promise.all(runs.map(waitingOf))
  const agents = await waitingOf(told)
  const approvals = tasks.map(() => crypto.randomUUID())
  for (const [index, task] of tasks.entries())
    await bindApproval(services, actor, task, approvals[index] ?? '')
  const decisions = new Map(
    tasks.map((task, index) => [
      task,
      // The last is about something else than what its task waits for.
      decided(
        index === 3 ? crypto.randomUUID() : (approvals[index] ?? ''),
        index === 1 ? 'rejected' : 'approved',
      ),
    ]),
  )
  decisions.set(agents, decided(crypto.randomUUID(), 'approved'))

  const answers = await Promise.all([1, 2, 3].map(() => resumeReviews(services, actor, decisions)))
  const resumed = answers.flatMap((each) => [...each])
  // What somebody else held at that moment was left out.
  while (resumed.length < 3) resumed.push(...(await resumeReviews(services, actor, decisions)))
  expect(resumed.sort()).toEqual(tasks.slice(0, 3).sort())
  for (const run of runs.slice(0, 3)) await engine.event(actor, /^run\.completed$/, endOf(run))
  const outcomes = await engine.rows<{ outcome: string }>(
    actor,
    `select state->'verdict'->>'outcome' as outcome from run where organization_id = $1 and id = any($2::uuid[])
     order by array_position($2::uuid[], id)`,
    [runs.slice(0, 3)],
  )
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['approve', 'reject', 'approve'])
  const left = await engine.rows<{ id: string; status: string }>(
    actor,
    `select id, status from task where organization_id = $1 and status = 'waiting'`,
  )
  expect(left.map(({ id }) => id).sort()).toEqual([tasks[3] ?? '', agents].sort())
})

const endOf =
  (run: string) =>
  ({ subject }: { subject: string }): boolean =>
    subject === `run/${run}`
