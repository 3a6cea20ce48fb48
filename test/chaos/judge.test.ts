import { idempotencyKey } from '@tutti/workflows/domain'
import { expect, test } from 'vitest'
import type { SinkCall } from './agent-sink.ts'
import type { Claim, Evidence, RecordedTask } from './evidence.ts'
import { holds, judge } from './judge.ts'

const ORGANIZATION = '00000000-0000-4000-8000-000000000001'
const RUN = '00000000-0000-4000-8000-0000000000aa'
const PATHS = ['first', 'second', 'third', 'fourth']

const callOf = (path: string, number: number, at: number): SinkCall => ({
  number,
  agent: 'steady',
  runId: RUN,
  path,
  attempt: 1,
  key: idempotencyKey(ORGANIZATION, RUN, path, 0),
  at,
  signed: true,
  done: true,
})

const taskOf = (path: string, call: number): RecordedTask => ({
  id: `task of ${path}`,
  run: RUN,
  path,
  generation: 0,
  kind: 'agent',
  status: 'completed',
  attempt: 1,
  call,
})

const claimOf = (seq: number, who: string, at: number, lost = false): Claim => ({
  seq,
  strand: 'strand',
  run: RUN,
  path: '',
  task: 'task of first',
  who,
  lost,
  at,
})

/** A run of four steps whose first was lost by the worker `a`, which was killed, and done again by `b`. */
function sound(): Evidence {
  return {
    accepted: [{ id: RUN, n: 0, shape: 'sequence' }],
    runs: [
      {
        id: RUN,
        organizationId: ORGANIZATION,
        parent: null,
        status: 'completed',
        outputs: {},
        error: null,
      },
    ],
    tasks: PATHS.map((path, index) => taskOf(path, index + 2)),
    ends: [
      ...PATHS.map((path, seq) => ({ seq, subject: `task/task of ${path}`, type: 'task.completed' })),
      { seq: 9, subject: `run/${RUN}`, type: 'run.completed' },
    ],
    claims: [claimOf(1, 'a', 1_000), claimOf(2, 'b', 7_000, true)],
    settlements: PATHS.map((path, index) => ({
      task: `task of ${path}`,
      who: 'b',
      at: 8_000 + index * 100,
    })),
    strands: 0,
    calls: [
      callOf('first', 1, 1_010),
      ...PATHS.map((path, index) => callOf(path, index + 2, 7_010 + index * 100)),
    ],
    kills: [{ who: 'a', slot: 0, at: 2_000 }],
    outages: [],
    starts: new Map([['task of first', [1_000, 7_000]]]),
    retries: [],
  }
}

/** Names of the invariants that the evidence breaks. */
const brokenBy = (change: Partial<Evidence>): string[] =>
  judge({ ...sound(), ...change })
    .filter((figure) => !holds(figure))
    .map(({ name }) => name)

const edit = <T>(list: readonly T[], at: number, change: Partial<T>): T[] =>
  list.map((each, index) => (index === at ? { ...each, ...change } : each))

test('nothing is broken where nothing is', () => {
  expect(brokenBy({})).toEqual([])
  const figures = new Map(judge(sound()).map(({ name, value }) => [name, value]))
  expect(figures.get('recovery p95')).toBe(5)
  expect(figures.get('calls repeated')).toBe(1)
  expect(figures.get('results that came too late')).toBe(1)
})

test('a run that does not end, or is not there', () => {
  const { runs } = sound()
  expect(brokenBy({ runs: edit(runs, 0, { status: 'waiting' }) })).toContain('accepted runs not ended')
  expect(brokenBy({ runs: [] })).toContain('accepted runs not ended')
})

test('a run that was started twice', () => {
  const { runs } = sound()
  expect(brokenBy({ runs: [...runs, ...edit(runs, 0, { id: 'again' })] })).toContain(
    'runs beside those accepted',
  )
})

test('a run that ends as it must not, or leaves a step out', () => {
  const { runs, tasks, ends } = sound()
  const name = 'runs ended otherwise than they must'
  expect(brokenBy({ runs: edit(runs, 0, { status: 'failed', error: 'WORKER_LOST' }) })).toContain(name)
  expect(brokenBy({ tasks: tasks.slice(1), ends: ends.slice(1) })).toContain(name)
})

test('a task that completes twice, or without a word', () => {
  const { ends } = sound()
  const name = 'tasks with other than one completion event'
  expect(brokenBy({ ends: [...ends, ...ends.slice(0, 1)] })).toEqual([name])
  expect(brokenBy({ ends: ends.slice(1) })).toEqual([name])
})

test('a completion by a worker that was not the last to take the strand', () => {
  const { settlements } = sound()
  expect(brokenBy({ settlements: edit(settlements, 0, { who: 'a' }) })).toEqual(['stale writes accepted'])
})

test('the answer of a call that was made before the strand was taken over, or for something else', () => {
  const { tasks } = sound()
  expect(brokenBy({ tasks: edit(tasks, 0, { call: 1 }) })).toEqual(['stale writes accepted'])
  expect(brokenBy({ tasks: edit(tasks, 0, { call: 3 }) })).toEqual(['stale writes accepted'])
})

test('an effect that was asked for with two keys', () => {
  const { calls } = sound()
  expect(brokenBy({ calls: edit(calls, 0, { key: 'another' }) })).toEqual([
    'distinct keys per effect',
    'keys of something else',
  ])
})

test('strands that are left, and a signature that is wrong', () => {
  const { calls } = sound()
  expect(brokenBy({ strands: 1 })).toEqual(['strands left'])
  expect(brokenBy({ calls: edit(calls, 0, { signed: false }) })).toEqual(['calls with a wrong signature'])
})

test('a recovery that takes too long, unless PostgreSQL was away', () => {
  const late = {
    claims: [claimOf(1, 'a', 1_000), claimOf(2, 'b', 14_000, true)],
    starts: new Map([['task of first', [1_000, 14_000]]]),
    calls: sound().calls.map((call) => ({ ...call, at: call.at + 7_000 })),
    settlements: sound().settlements.map((each) => ({ ...each, at: each.at + 7_000 })),
  }
  expect(brokenBy(late)).toEqual(['recovery p95'])
  expect(brokenBy({ ...late, outages: [{ from: 3_000, to: 8_000 }] })).toEqual([])
})

test('chaos in which no lease was lost and nothing repeated shows nothing', () => {
  const { claims, calls } = sound()
  expect(brokenBy({ claims: edit(claims, 1, { lost: false }), calls: calls.slice(1), kills: [] })).toContain(
    'leases lost',
  )
})
