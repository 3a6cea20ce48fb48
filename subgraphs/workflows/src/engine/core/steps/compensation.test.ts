import { describe, expect, it } from 'vitest'
import type { InputBinding, TaskNode } from '../../../definitions/index.ts'
import { playRun } from '../play-run.ts'
import type { Answer } from '../play-run.ts'
import { RunInMemory } from '../run-in-memory.ts'
import type { MemoryStrand, MemoryTask } from '../run-in-memory.ts'
import { work, workflowOf } from '../workflow-of.ts'

const booked = (id: string, inputs?: readonly InputBinding[], more: Partial<TaskNode> = {}) =>
  work(id, {
    inputs: [{ param: 'trip', path: ['trip'] }],
    compensate: { agent: `cancel_${id}`, ...(inputs ? { inputs } : {}) },
    ...more,
  })
const trip = workflowOf(
  [
    booked('flight'),
    booked('hotel', [
      { param: 'id', path: ['$output', 'id'] },
      { param: 'why', value: 'trip + "!"' },
    ]),
    work('mail'),
    work('pay'),
  ],
  [
    ['flight', 'hotel'],
    ['hotel', 'mail'],
    ['mail', 'pay'],
  ],
)
const input = { trip: 'T' }
const unpaid =
  (more: (task: MemoryTask) => Answer | undefined = () => undefined) =>
  (task: MemoryTask): Answer =>
    more(task) ??
    (task.created.node === 'pay' ? { error: 'NO_MONEY' } : { output: { id: task.created.path } })

describe('a run that fails', () => {
  it('first undoes what was completed and can be undone, the newest first', () => {
    const run = playRun(trip, input, unpaid())
    expect([...run.tasks.keys()]).toEqual(['flight', 'hotel', 'mail', 'pay', 'hotel~undo', 'flight~undo'])
    expect(run.error).toEqual({ node: 'pay', code: 'NO_MONEY', message: 'NO_MONEY' })
    expect(run.tasks.get('flight~undo')?.created).toMatchObject({
      agent: 'cancel_flight',
      input: { trip: 'T', $output: { id: 'flight' } },
    })
    expect(run.tasks.get('hotel~undo')?.created.input).toEqual({
      id: 'hotel',
      why: 'T!',
      $output: { id: 'hotel' },
    })
  })

  it('names what could not be undone, and undoes the rest', () => {
    const run = playRun(
      trip,
      input,
      unpaid(({ created }) => (created.path === 'hotel~undo' ? { error: 'CLOSED' } : undefined)),
    )
    expect(run.tasks.get('flight~undo')?.status).toBe('completed')
    expect(run.error).toMatchObject({
      code: 'NO_MONEY',
      message: 'NO_MONEY Not undone: hotel (CLOSED: CLOSED).',
    })
  })

  it('tries an undoing again as the step would be', () => {
    const retry = { maxAttempts: 3, initialDelayMs: 1, factor: 1, maxDelayMs: 1 }
    const definition = workflowOf([booked('flight', undefined, { retry }), work('pay')], [['flight', 'pay']])
    const run = playRun(
      definition,
      input,
      unpaid(({ created, attempt }) =>
        created.path.endsWith('~undo') && attempt < 3 ? { error: 'BUSY', retryable: true } : undefined,
      ),
    )
    expect(run.tasks.get('flight~undo')).toMatchObject({ status: 'completed', attempt: 3 })
    expect(run.error?.message).toBe('NO_MONEY')
  })

  it('undoes steps in items and turns, each by its own path', () => {
    const definition = workflowOf(
      [
        {
          id: 'each',
          kind: 'map',
          over: '[1, 2]',
          as: 'x',
          entry: 'again',
          join: { mode: 'all' },
          onFailure: 'fail',
          maxItems: 9,
        },
        { id: 'again', kind: 'loop', parent: 'each', entry: 'flight', maxTurns: 2, onExhausted: 'done' },
        booked('flight', undefined, { parent: 'again' }),
        work('pay'),
      ],
      [['each', 'pay']],
    )
    const run = playRun(definition, input, unpaid())
    const done = [...run.tasks.values()].filter(({ created }) => created.node === 'flight')
    const [steps, undone] = [done.slice(0, 4), done.slice(4)]
    const newest = steps
      .toSorted((a, b) => (b.ended ?? 0) - (a.ended ?? 0))
      .map(({ created }) => created.path)
    expect(newest).toContain('each[1]/again[0]/flight')
    expect(undone.map(({ created }) => created.path)).toEqual(newest.map((path) => `${path}~undo`))
  })

  it('undoes nothing when a fallback handles the failure, or nothing was completed', () => {
    const handled = workflowOf(
      [booked('flight'), work('pay'), work('mend')],
      [
        ['flight', 'pay'],
        ['pay', 'mend', 'failed'],
      ],
    )
    expect([...playRun(handled, input, unpaid()).tasks.keys()]).toEqual(['flight', 'pay', 'mend'])
    const first = workflowOf([work('pay'), booked('flight')], [['pay', 'flight']])
    const run = playRun(first, input, unpaid())
    expect(run.error).toEqual({ node: 'pay', code: 'NO_MONEY', message: 'NO_MONEY' })
  })

  it('whose result does not fit its schema undoes as well', () => {
    const definition = workflowOf([booked('flight')], [], { schemas: { output: { required: ['ticket'] } } })
    const run = playRun(definition, input, unpaid())
    expect(run.error).toMatchObject({ node: 'flight', code: 'OUTPUT_INVALID' })
    expect(run.tasks.get('flight~undo')?.status).toBe('completed')
  })

  it('notes a compensation whose input cannot be evaluated, and goes on', () => {
    const definition = workflowOf(
      [booked('flight'), booked('hotel', [{ param: 'p', value: 'trip.no' }]), work('pay')],
      [
        ['flight', 'hotel'],
        ['hotel', 'pay'],
      ],
    )
    const run = playRun(definition, input, unpaid())
    expect([...run.tasks.keys()].slice(3)).toEqual(['flight~undo'])
    expect(run.error?.message).toMatch(/^NO_MONEY Not undone: hotel \(EXPRESSION_FAILED: p: /)
  })
})

describe('a run that is taken back', () => {
  const until = (node: string) => {
    const run = new RunInMemory(trip, input)
    run.tell(mainOf(run), { type: 'run_started' })
    for (const each of ['flight', 'hotel', 'mail']) {
      if (each === node) break
      const { task } = mainOf(run)
      if (task) task.output = { id: each }
      run.tell(mainOf(run), { type: 'task_succeeded', node: each, attempt: 1, output: { id: each } })
    }
    return run
  }
  const takenBack = { type: 'run_taken_back', node: 'mail', reason: 'no more' } as const

  it('gives up what it is at, undoes what was completed, and is cancelled and not failed', () => {
    const run = until('mail')
    run.tell(mainOf(run), takenBack)
    expect(run.tasks.get('mail')?.status).toBe('cancelled')
    run.tell(mainOf(run), { type: 'compensation_listed', steps: run.undoable() })
    run.tell(mainOf(run), { type: 'task_succeeded', node: 'hotel', attempt: 1, output: null })
    const error = { code: 'CLOSED', message: 'at night', retryable: false }
    run.tell(mainOf(run), { type: 'task_failed', node: 'flight', attempt: 1, error })
    expect([run.status, run.error]).toEqual(['cancelled', undefined])
    expect(run.transitions.at(-1)).toEqual({
      type: 'cancel_run',
      reason: 'no more Not undone: flight (CLOSED: at night).',
    })
  })

  it('a second time, or while it is undone because it failed, goes on as it was', () => {
    const run = until('mail')
    run.tell(mainOf(run), takenBack)
    expect(run.ask(mainOf(run), takenBack)).toEqual([])
  })

  it('is cancelled at once where nothing can be undone', () => {
    const run = new RunInMemory(workflowOf([work('only')], []), {})
    run.tell(mainOf(run), { type: 'run_started' })
    run.tell(mainOf(run), { ...takenBack, node: 'only' })
    expect([run.status, run.tasks.get('only')?.status]).toEqual(['cancelled', 'cancelled'])
  })
})

function mainOf(run: RunInMemory): MemoryStrand {
  const main = run.strands.get('')
  if (!main) throw new Error('The run is over.')
  return main
}
