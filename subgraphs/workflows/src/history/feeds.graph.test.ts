import { openTail, type Tail } from '@tutti/prisma'
import { createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '../context.ts'
import type { ClaimedTask } from '../engine/worker/claimed-task.ts'
import type { TaskOutcome } from '../engine/worker/outcome.ts'
import { runEvents, type RunEventFilter } from '../runs/run-events.ts'
import { appendTaskLogs } from '../tasks/logs/append-task-logs.ts'
import { reportProgress } from '../tasks/progress/report-progress.ts'
import { taskEvents, type TaskEventFilter } from '../tasks/task-events.ts'
import { type Engine, openEngine } from '../testing/open-engine.ts'

let engine: Engine
let tail: Tail
beforeAll(async () => {
  engine = await openEngine()
  tail = await openTail(engine.world.database)
})
afterAll(async () => {
  await tail[Symbol.asyncDispose]()
  await engine[Symbol.asyncDispose]()
})

const BEGINNING = '0'.repeat(13)
const done = async ({ stepPath }: ClaimedTask): Promise<TaskOutcome> => ({
  type: 'succeeded',
  output: stepPath,
})
const context = (actor: Actor): Context => ({
  database: engine.world.database,
  tail,
  log: createLog('test', 'silent'),
  secret: engine.world.secret,
  wake: () => undefined,
  actor,
})

/** Alpha and beta, each in a domain of its own, and two runs of each, one after the other: a, b, a, b. */
async function fourRuns() {
  const actor = await engine.organization('alpha', 'beta')
  const { organizationId } = actor
  const domains = await engine.world.database.inTenant(actor, async (tx) => {
    const ids: string[] = []
    for (const name of ['alpha', 'beta']) {
      const domain = await tx.db.domain.create({ data: { organizationId, name } })
      const team = await tx.db.team.create({ data: { organizationId, name, domainId: domain.id } })
      await tx.db.agent.updateMany({ where: { name }, data: { teamId: team.id } })
      ids.push(domain.id)
    }
    return ids
  })
  await using _worker = engine.work(actor, done)
  const runs: string[] = []
  for (const agent of ['alpha', 'beta', 'alpha', 'beta']) {
    const steps = `steps:\n  - {name: only, agent: ${agent}, output: one}\n`
    const id = await engine.start(actor, `format: tutti/1\nname: of_${agent}\n${steps}`)
    await engine.event(actor, /^run\.completed$/, ({ subject }) => subject === `run/${id}`)
    runs.push(id)
  }
  const agents = await engine.rows<{ id: string }>(
    actor,
    'select id from agent where organization_id = $1 order by name',
  )
  const workflows = await engine.rows<{ id: string }>(
    actor,
    'select id from workflow where organization_id = $1 order by name',
  )
  return {
    actor,
    runs,
    domains,
    agents: agents.map(({ id }) => id),
    workflows: workflows.map(({ id }) => id),
  }
}

/** Everything up to the end of a run, as `run.type`. */
async function upTo(
  feed: AsyncGenerator<{ type: string; runId: string }>,
  runs: readonly string[],
  last: string,
): Promise<string[]> {
  const seen: string[] = []
  for await (const { type, runId } of feed) {
    seen.push(`${runs.indexOf(runId)} ${type}`)
    if (type.endsWith('.completed') && runId === last) break
  }
  return [...new Set(seen.map((each) => each.split(' ')[0] ?? ''))]
}

test('events are of the run, workflow, agent and domain that were asked for, and of no other', async () => {
  const { actor, runs, domains, agents, workflows } = await fourRuns()
  const [, second, , fourth = ''] = runs
  const ofBeta: (RunEventFilter & TaskEventFilter)[] = [
    { workflowId: workflows[1] },
    { agentId: agents[1] },
    { domainId: domains[1] },
    {
      agentId: agents[1],
      domainId: domains[1],
      workflowId: workflows[1],
      types: ['*.completed', '*.started'],
    },
  ]
  for (const filter of ofBeta) {
    const given = { after: BEGINNING, filter }
    expect(await upTo(taskEvents(context(actor), given), runs, fourth)).toEqual(['1', '3'])
    expect(await upTo(runEvents(context(actor), given), runs, fourth)).toEqual(['1', '3'])
  }
  const ofOne = { after: BEGINNING, filter: { runId: second } }
  expect(await upTo(taskEvents(context(actor), ofOne), runs, second ?? '')).toEqual(['1'])
  expect(await upTo(runEvents(context(actor), ofOne), runs, second ?? '')).toEqual(['1'])
  expect(await upTo(taskEvents(context(actor), { after: BEGINNING }), runs, fourth)).toEqual([
    '0',
    '1',
    '2',
    '3',
  ])
})

test('patterns choose types, and what fits none is refused at once', async () => {
  const { actor, runs } = await fourRuns()
  const types = async (filter: TaskEventFilter): Promise<string[]> => {
    const seen: string[] = []
    for await (const { type, runId } of taskEvents(context(actor), { after: BEGINNING, filter })) {
      seen.push(type)
      if (type === 'task.completed' && runId === runs.at(-1)) break
    }
    return [...new Set(seen)].sort()
  }
  expect(await types({ types: ['task.*'] })).toContain('task.started')
  expect(await types({ types: ['*.started', 'task.comp*'] })).toEqual(['task.completed', 'task.started'])
  const refused = taskEvents(context(actor), { after: BEGINNING, filter: { types: ['run.started'] } })
  await expect(refused.next()).rejects.toMatchObject({ code: 'BAD_INPUT', path: 'filter.types[0]' })
})

test('a feed that is left goes on from its cursor, without loss and without repeat', async () => {
  const { actor, runs } = await fourRuns()
  const last = runs.at(-1)
  const read = async (most: number, after: string) => {
    const seen: string[] = []
    for await (const { cursor, type, runId } of taskEvents(context(actor), { after })) {
      seen.push(cursor)
      if (seen.length === most || (type === 'task.completed' && runId === last)) break
    }
    return seen
  }
  const whole = await read(1_000, BEGINNING)
  const parts: string[] = []
  while (parts.length < whole.length) parts.push(...(await read(3, parts.at(-1) ?? BEGINNING)))
  expect(parts).toEqual(whole)
})

test('a report from inside a step is on its task while it works, and in the feed', async () => {
  const actor = await engine.organization('alpha')
  const { database } = engine.world
  let seen: object = {}
  await using _worker = engine.work(actor, async (task) => {
    const agent: Actor = { ...actor, id: `agent:${task.agentId}`, kind: 'agent' }
    expect(
      await reportProgress(database, agent, task, { percent: 50, message: 'half', data: { page: 3 } }),
    ).toBe('kept')
    seen = await engine.ask(
      actor,
      'query($id: ID!) { task(id: $id) { status progress { percent message data } } }',
      { id: task.id },
    )
    return done(task)
  })
  await engine.start(actor, 'format: tutti/1\nname: long\nsteps:\n  - {name: only, agent: alpha}\n')
  const report = { percent: 50, message: 'half', data: { page: 3 } }
  const events: object[] = []
  for await (const event of taskEvents(context(actor), { after: BEGINNING })) {
    if (event.type === 'task.ready') continue
    events.push({ type: event.type, kind: event.actor.kind, progress: event.progress })
    if (event.type === 'task.completed') break
  }
  expect(seen).toEqual({ task: { status: 'RUNNING', progress: report } })
  expect(events).toEqual([
    { type: 'task.started', kind: expect.any(String), progress: null },
    { type: 'task.progress', kind: 'agent', progress: { ...report, time: expect.any(Date) } },
    { type: 'task.completed', kind: 'system', progress: null },
  ])
})

test('the first step of an item reports as well, once its beginning is written', async () => {
  const actor = await engine.organization('alpha')
  const reported = new Set<string>()
  await using _worker = engine.work(actor, async (task) => {
    const agent: Actor = { ...actor, id: `agent:${task.agentId}`, kind: 'agent' }
    for (let answer = 'early'; answer === 'early';) {
      answer = await reportProgress(engine.world.database, agent, task, { percent: 10 })
      if (answer === 'kept') reported.add(task.stepPath)
    }
    return done(task)
  })
  const steps = 'steps:\n  - {name: each, over: items, steps: [{name: one, agent: alpha, input: item}]}'
  const items = Array.from({ length: 40 }, (_, index) => index)
  const id = await engine.start(actor, `format: tutti/1\nname: items\ninputs: [items]\n${steps}\n`, { items })
  await engine.event(actor, /^run\.completed$/, ({ subject }) => subject === `run/${id}`)
  expect([...reported].sort()).toEqual(items.map((index) => `each[${index}]/one`).sort())
})

test('the log of a task is read and searched through the API', async () => {
  const { actor, runs } = await fourRuns()
  const [task] = await engine.rows<{ id: string }>(
    actor,
    'select id from task where organization_id = $1 and run_id = $2',
    [runs[0]],
  )
  await appendTaskLogs(engine.world, actor, [
    { taskId: task?.id ?? '', level: 'info', message: 'reads the page' },
    { taskId: task?.id ?? '', level: 'error', message: 'the page is empty', data: { page: 7 } },
  ])
  const data = await engine.ask(
    actor,
    `query($id: ID!) {
      task(id: $id) { logs(level: WARN) { nodes { level message data } } }
      searchTaskLogs(input: { search: "PAGE 7" }) { nodes { attempt message task { stepPath } } }
    }`,
    { id: task?.id },
  )
  expect(data).toEqual({
    task: { logs: { nodes: [{ level: 'ERROR', message: 'the page is empty', data: { page: 7 } }] } },
    searchTaskLogs: { nodes: [{ attempt: 1, message: 'the page is empty', task: { stepPath: 'only' } }] },
  })
})
