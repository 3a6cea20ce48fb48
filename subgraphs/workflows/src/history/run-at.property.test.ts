import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import type { WorkflowDefinition } from '../definitions/index.ts'
import type { Transition } from '../engine/core/index.ts'
import { definitionOf, RANDOM_INPUT, randomBodies } from '../engine/core/random-definition.ts'
import { type MemoryStrand, RunInMemory } from '../engine/core/run-in-memory.ts'
import { simulateRun } from '../engine/core/simulate-run.ts'
import { runAt } from './run-at.ts'
import type { PastEvent, PastTask, RunPast } from './run-past.ts'
import { visible } from './state-at.ts'

/** What was seen of the run at a moment of its life. */
interface Moment {
  time: Date
  state: Record<string, unknown> | null
  status: string
  tasks: Record<string, string>
}

afterEach(() => void vi.restoreAllMocks())

/** Plays a random run and keeps what a store would keep of it, with what it was after every write. */
function record(definition: WorkflowDefinition, seed: number): { past: RunPast; moments: Moment[] } {
  const events: PastEvent[] = []
  const moments: Moment[] = []
  const rows = new Map<string, Pick<PastTask, 'parentId' | 'position' | 'arrival' | 'createdAt' | 'id'>>()
  const stands: PastTask[] = []
  const retried = new Map<string, PastTask['error']>()
  const write = RunInMemory.prototype.write
  let clock = Date.UTC(2026, 0, 1)
  let depth = 0
  let started = false
  vi.spyOn(RunInMemory.prototype, 'write').mockImplementation(function (
    this: RunInMemory,
    strand: MemoryStrand,
    transitions: readonly Transition[],
  ) {
    if (transitions.length === 0) return
    if (depth === 0) clock += 1_000
    const time = new Date(clock)
    const tell = (type: PastEvent['type'], data: Record<string, unknown>): void =>
      void events.push({ type, time, data })
    if (!started) tell('run.started', {})
    started = true
    const before = new Map([...this.tasks].map(([path, { status }]) => [path, status]))
    for (const each of transitions) tellOf(each, strand, tell, time)
    depth += 1
    write.call(this, strand, transitions)
    depth -= 1
    for (const [path, { status, attempt }] of this.tasks)
      if (status === 'cancelled' && before.get(path) !== 'cancelled' && before.has(path))
        tell('task.cancelled', { taskId: path, attempt })
    if (depth > 0) return
    const main = this.strands.get('')
    moments.push({
      time,
      state: main ? visible(main.state) : (this.output?.outputs ?? null),
      status: this.status,
      tasks: statusesOf(this.tasks),
    })
  })

  function tellOf(
    each: Transition,
    strand: MemoryStrand,
    tell: (type: PastEvent['type'], data: Record<string, unknown>) => void,
    time: Date,
  ): void {
    const about = 'path' in each ? { taskId: each.path, attempt: strand.task?.attempt ?? 0 } : {}
    if (each.type === 'create_task') {
      const parentId = strand.parent?.task?.created.path ?? null
      const position = strand.parent ? strand.position : null
      rows.set(each.path, { id: each.path, parentId, position, arrival: null, createdAt: time })
      tell(each.status === 'waiting' ? 'task.waiting' : 'task.ready', { ...about, attempt: each.attempt })
    } else if (each.type === 'settle_task')
      tell(`task.${each.status}`, { ...about, ...(each.error ? { error: each.error } : {}) })
    else if (each.type === 'retry_task') {
      retried.set(each.path, each.error)
      tell('task.retrying', { ...about, error: each.error })
    } else if (each.type === 'complete_run') tell('run.completed', {})
    else if (each.type === 'fail_run') tell('run.failed', { error: each.error })
    else if (each.type === 'cancel_run') tell('run.cancelled', {})
    else if (each.type === 'arrive') {
      const last = [...rows.values()].findLast(({ id }) => strand.task?.created.path === id)
      if (last) last.arrival = each.arrival
      else stands.push(standIn(strand, each.arrival, time))
    }
  }

  const { run } = simulateRun(definition, RANDOM_INPUT, seed, { cancels: seed % 5 === 0, failing: 0.2 })
  vi.restoreAllMocks()
  const tasks = [...run.tasks].flatMap(([path, { created, status, attempt, output, error }]): PastTask[] => {
    const row = rows.get(path)
    if (!row) return []
    const task = { ...BLANK, ...row, stepPath: path, nodeId: created.node, kind: created.kind }
    return [{ ...task, status, attempt, output: output ?? null, error: error ?? lastOf(path, status) }]
  })
  function lastOf(path: string, status: string): PastTask['error'] {
    return status === 'completed' || status === 'skipped' ? null : (retried.get(path) ?? null)
  }
  const present = { ...RUN, status: run.status, output: run.output ?? null, error: run.error ?? stopped(run) }
  return { past: { run: present, tasks: [...tasks, ...stands], events }, moments }
}

const stopped = ({ status }: RunInMemory) =>
  status === 'cancelled' ? { code: 'RUN_CANCELLED', message: 'test' } : null

const RUN: RunPast['run'] = {
  id: 'run',
  workflowId: 'workflow',
  versionId: 'version',
  status: 'completed',
  input: RANDOM_INPUT,
  state: {},
  output: null,
  error: null,
  idempotencyKey: null,
  costUsd: '0',
  createdAt: new Date(Date.UTC(2026, 0, 1)),
  endedAt: null,
}

const BLANK = {
  runId: 'run',
  generation: 0,
  agentId: null,
  agentVersion: null,
  input: {},
  costUsd: '0',
  startedAt: null,
  endedAt: null,
  progress: null,
  assignment: null,
  recovery: null,
}

const standIn = (
  { parent, position, path }: MemoryStrand,
  arrival: PastTask['arrival'],
  createdAt: Date,
): PastTask => ({
  ...BLANK,
  id: path,
  stepPath: path,
  nodeId: '',
  kind: 'item',
  status: 'completed',
  attempt: 0,
  output: null,
  error: null,
  parentId: parent?.task?.created.path ?? null,
  position,
  arrival,
  createdAt,
})

/** Whether a worker has it is nothing that is written here. */
const statusesOf = (tasks: Iterable<[string, { status: string }]>): Record<string, string> =>
  Object.fromEntries([...tasks].map(([id, { status }]) => [id, status === 'running' ? 'ready' : status]))

test('a run folded up to any moment is the run as it was then; up to the end, as it is', () => {
  fc.assert(
    fc.property(randomBodies.map(definitionOf), fc.nat(), (definition, seed) => {
      const { past, moments } = record(definition, seed)
      for (const { time, state, status, tasks } of moments) {
        const then = runAt(past, () => definition, time)
        expect(then?.status).toBe(status)
        expect(
          statusesOf(
            (then?.tasks ?? []).filter(({ kind }) => kind !== 'item').map((task) => [task.id, task]),
          ),
        ).toEqual(tasks)
        if (state) expect(then?.state).toEqual(state)
      }
      const last = runAt(past, () => definition, new Date(Date.UTC(2100, 0, 1)))
      expect(last).toMatchObject({ status: past.run.status, output: past.run.output, error: past.run.error })
      expect(last?.tasks.map(({ id, status, output, error }) => ({ id, status, output, error }))).toEqual(
        past.tasks.map(({ id, status, output, error }) => ({ id, status, output, error })),
      )
    }),
    { numRuns: 200, interruptAfterTimeLimit: 5_000 },
  )
})
