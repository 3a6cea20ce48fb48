import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { WorkflowDefinition } from '../../definitions/index.ts'
import { type CoreEvent, decide, isRunOver, RUN_STATUSES, TASK_STATUSES } from '../core/index.ts'
import { moveOn } from '../core/play-run.ts'
import { definitionOf, RANDOM_INPUT, randomBodies } from '../core/random-definition.ts'
import { type MemoryStrand, RunInMemory } from '../core/run-in-memory.ts'
import type { HeldStrand } from '../store/held-strand.ts'
import { planTransitions } from '../store/plan-transitions.ts'
import type { StrandChange, StrandRow } from '../store/strand-change.ts'
import { viewOf } from './record-events.ts'
import { WORKER_ACTOR } from './worker-actor.ts'

const NAMES = {
  agent: () => undefined,
  version: () => ({ workflowId: 'w', workflowName: 'w', versionId: 'v' }),
}

/** A strand of a run in memory, as a worker holds it. */
function heldOf(run: RunInMemory, strand: MemoryStrand): HeldStrand {
  const { task } = strand
  const outer: Readonly<Record<string, unknown>>[] = []
  for (let around = strand.parent; around; around = around.parent) outer.push(around.state)
  return {
    id: `s${strand.path}`,
    fence: 1n,
    epoch: 0,
    runStatus: run.status,
    run: {
      organizationId: 'o',
      id: 'run',
      workflowId: 'w',
      workflowName: 'w',
      versionId: 'v',
      input: RANDOM_INPUT,
      createdAt: '2027-01-01T00:00:00.000Z',
      priority: 0,
      depth: 0,
      parentStrandId: null,
    },
    limitKey: null,
    parentId: strand.parent ? `s${strand.parent.path}` : null,
    parentTaskId: strand.parent ? 'above' : null,
    compound: strand.compound ?? null,
    key: strand.key ?? null,
    position: strand.position,
    path: strand.path,
    state: strand.state,
    outer,
    task: task
      ? {
          id: 't',
          nodeId: task.created.node,
          path: task.created.path,
          kind: task.created.kind,
          status: task.status,
          generation: 0,
          attempt: task.attempt,
          input: task.created.input,
          timeoutMs: 1_000,
          agentId: null,
          agentName: null,
          createdMs: Date.now(),
        }
      : null,
    resume: null,
    generation: 0,
    recoveries: 0,
  }
}

const error = { code: 'TEST', message: 'test', retryable: true }
/** Any event, at this node and attempt: most are none for the task it comes to. */
const events: readonly ((node: string, attempt: number) => CoreEvent)[] = [
  () => ({ type: 'run_started' }),
  () => ({ type: 'strand_started' }),
  () => ({ type: 'run_cancelled' }),
  () => ({ type: 'compensation_listed', steps: [] }),
  (node) => ({ type: 'run_taken_back', node }),
  (node) => ({ type: 'step_entered', node }),
  (node, attempt) => ({ type: 'task_succeeded', node, attempt, output: { value: 1 } }),
  (node, attempt) => ({ type: 'task_failed', node, attempt, error }),
  (node, attempt) => ({ type: 'task_timed_out', node, attempt }),
  (node) => ({ type: 'task_skipped', node }),
  (node) => ({ type: 'task_cancelled', node, error }),
  (node) => ({ type: 'review_decided', node, outcome: 'reject' }),
  (node) => ({ type: 'review_expired', node }),
  (node) => ({ type: 'wait_over', node, payload: { value: 1 } }),
  (node) => ({ type: 'wait_expired', node }),
  (node) => ({ type: 'children_done', node, arrivals: [null, { ok: true, value: 1 }] }),
  (node) => ({ type: 'child_run_ended', node, status: 'failed', output: {} }),
]

/** What may well happen to a strand's task. */
function fittingEvent({ task }: HeldStrand): (node: string, attempt: number) => CoreEvent {
  const output = { value: 1 }
  switch (task?.kind) {
    case 'review':
      return (node) => ({ type: 'review_decided', node, outcome: 'approve' })
    case 'wait':
      return (node) => ({ type: 'wait_over', node, payload: output })
    case 'workflow':
      return (node) => ({ type: 'child_run_ended', node, status: 'completed', output })
    default:
      return (node, attempt) => ({ type: 'task_succeeded', node, attempt, output })
  }
}

type Place = Pick<StrandRow, 'status' | 'due_at' | 'due_ms' | 'wait' | 'pending' | 'task'>

/** Why nobody would ever take up a strand that is written so, if so. */
function stuck(place: Place, change: StrandChange, isPaused: boolean, isBehind: boolean): string | undefined {
  const isTimed = place.due_at !== undefined || place.due_ms !== undefined
  if (place.status === 'ready') return isTimed ? undefined : 'ready, and due never'
  if (place.status === 'held') return isPaused || isBehind ? undefined : 'held by nobody'
  if (place.status === 'running') return undefined
  const task = change.tasks?.find(({ id }) => id === place.task)
  if (!task) return 'waits at no task of its own'
  const isAwaited =
    task.kind === 'review' ||
    (task.kind === 'workflow' && change.runs?.some((run) => run.parent_task === task.id)) ||
    (place.pending ?? 0) > 0
  return isTimed || place.wait !== undefined || isAwaited ? undefined : `waits for nothing at a ${task.kind}`
}

/** A run after so many moves, some of which fail. */
function playSome(definition: WorkflowDefinition, moves: number, luck: number): RunInMemory {
  const run = new RunInMemory(definition, RANDOM_INPUT)
  let turn = luck
  for (let move = 0; move < moves; move += 1) {
    const goesOn = moveOn(run, ({ created }) => {
      turn = (turn * 31 + 7) % 101
      if (turn < 30) return 'wait'
      return turn < 45 && created.kind !== 'workflow'
        ? { error: 'TEST', retryable: turn < 40 }
        : { output: { value: turn / 100, flag: true } }
    })
    if (!goesOn) break
  }
  return run
}

/** Mostly null. */
const seldom = <T>(...values: T[]): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom(...values) })

it('whatever happens to a strand, somebody takes it up again, or it is over', () => {
  const seen = new Map<string, number>()
  const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)
  fc.assert(
    fc.property(
      fc.record({
        body: randomBodies,
        moves: fc.nat(20),
        luck: fc.nat(100),
        which: fc.nat(),
        event: fc.constantFrom(...events),
        at: fc.constantFrom('its own', 'its own', 'its own', 'another', 'nowhere'),
        late: seldom(true),
        fits: fc.boolean(),
        runStatus: seldom(...RUN_STATUSES),
        taskStatus: seldom(...TASK_STATUSES),
        path: seldom('', 'gone[0]/step'),
      }),
      ({ body, moves, luck, which, event, at, late, fits, runStatus, taskStatus, path }) => {
        const definition = definitionOf(body)
        const run = playSome(definition, moves, luck)
        const strands = [...run.strands.values()]
        const strand = strands[which % strands.length]
        if (!strand) return
        const held = heldOf(run, strand)
        if (runStatus) held.runStatus = runStatus
        if (held.task && taskStatus) held.task.status = taskStatus
        if (held.task && path !== null) held.task.path = path
        const nodes = Object.keys(definition.nodes)
        const own = held.task?.nodeId ?? ''
        const node =
          at === 'its own' ? own : at === 'another' ? (nodes[which % nodes.length] ?? '') : 'nowhere'
        const fitting = fits ? fittingEvent(held) : event
        const told = fitting(node, (held.task?.attempt ?? 1) - (late ? 1 : 0))
        const transitions = decide(definition, viewOf(held), told, held.task?.nodeId)
        expect(transitions.length === 0).toBe(isRunOver(held.runStatus))
        if (transitions.length === 0) return
        if (JSON.stringify(transitions).includes('ENGINE_EVENT_IGNORED')) note('ignored')
        const { change } = planTransitions(
          held,
          transitions,
          {},
          {
            names: NAMES,
            definition,
            actor: WORKER_ACTOR,
          },
        )
        const isPaused = held.runStatus === 'paused'
        const where = change.gone || change.keep ? undefined : stuck(change, change, isPaused, false)
        expect(where).toBeUndefined()
        note(change.gone ? 'gone' : change.status)
        for (const child of change.strands ?? []) {
          note(child.status)
          expect(stuck(child, change, isPaused, (child.position ?? 0) > 0)).toBeUndefined()
        }
      },
    ),
    { numRuns: 3_000 },
  )
  // Each is seen some fifty times or more: nothing that chance alone brings down to five.
  for (const what of ['gone', 'ready', 'waiting', 'held', 'ignored'])
    expect(seen.get(what) ?? 0, what).toBeGreaterThan(5)
})
