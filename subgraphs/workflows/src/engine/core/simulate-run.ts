import type { WorkflowDefinition } from '../../definitions/index.ts'
import { isRunOver, isTaskClaimable, isTaskOver, isTaskWaiting } from './index.ts'
import type { CoreEvent } from './index.ts'
import { RunInMemory } from './run-in-memory.ts'
import type { MemoryStrand, MemoryTask } from './run-in-memory.ts'

/** What befell a simulated run. */
export type SimulatedRun = {
  readonly run: RunInMemory
  /** Events that the core was shown and that changed nothing: again, late, or too early. */
  readonly refused: number
  /** Paths of the tasks created to undo a step, in that order. */
  readonly undone: readonly string[]
  /** What could have been undone when the run began to fail or was taken back, newest first. */
  readonly undoable: readonly string[]
}

/** How rough the world is. */
export type World = { readonly cancels?: boolean; readonly failing?: number }

type Letter = {
  readonly strand: MemoryStrand
  readonly task: MemoryTask | undefined
  readonly event: CoreEvent
}

/**
 * Plays one run in memory, in a world made of the numbers of `seed`: attempts succeed, fail, time out; a crash before the
 * commit loses an event's effect and delivers it again; one after the commit delivers it twice; leases run out, so that
 * two workers do one attempt and both answer; events of all strands change places, and old ones come again much later.
 */
export function simulateRun(
  definition: WorkflowDefinition,
  input: Readonly<Record<string, unknown>>,
  seed: number,
  { cancels = false, failing = 0.1 }: World = {},
): SimulatedRun {
  const run = new RunInMemory(definition, input)
  const random = randomNumbers(seed)
  const chance = (share: number) => random() < share
  const mail: Letter[] = []
  const old: Letter[] = []
  const undoable: string[] = []
  let refused = 0

  const send = (strand: MemoryStrand, event: CoreEvent) => {
    mail.push({ strand, task: strand.task, event })
  }

  const noteUndoable = () => {
    if (run.undoAfter === null && undoable.length === 0)
      undoable.push(...run.undoable().map(({ path }) => path))
  }

  const deliver = (letter: Letter) => {
    const { strand, task, event } = letter
    // The store's fences: the strand is over, or at the same node's next task, or its answer was given.
    const isElsewhere =
      strand.task !== task &&
      (event.type === 'compensation_listed' || strand.task?.created.node === task?.created.node)
    if (run.strands.get(strand.path) !== strand || isElsewhere) return
    const transitions = run.ask(strand, event, chance(0.5) ? random() * 1_000 : undefined)
    if (transitions.length === 0) refused += 1
    // Killed before the commit: nothing is written, and the event comes again.
    if (chance(0.1)) return void mail.push(letter)
    // The result is kept of the attempt that completes the task, as in a store: of one that is tried again it is not.
    const completes = transitions.some((each) => each.type === 'settle_task' && each.status === 'completed')
    if (completes && task && 'output' in event) task.output = event.output
    run.write(strand, transitions)
    noteUndoable()
    old.push(letter)
    // Killed after the commit, before the acknowledgement.
    if (chance(0.15)) mail.push(letter)
  }

  const look = (strand: MemoryStrand) => {
    const { task } = strand
    if (!strand.hasBegun) {
      if (!strand.isHeld) send(strand, { type: strand.parent ? 'strand_started' : 'run_started' })
      return
    }
    if (!strand.parent && run.undoAfter !== undefined) return list(strand)
    if (!task || isTaskOver(task.status)) return
    const { node, kind } = task.created
    if (chance(0.01)) send(strand, { type: 'task_skipped', node })
    if (chance(0.005))
      send(strand, { type: 'task_cancelled', node, error: { code: 'TEST', message: 'given up' } })
    if (kind === 'parallel' || kind === 'map') {
      if (run.isDue(strand) || chance(0.05))
        send(strand, { type: 'children_done', node, arrivals: [...strand.arrivals] })
    } else if (isTaskWaiting(task.status)) {
      send(strand, answer(task))
      if (chance(0.05)) send(strand, answer(task))
    } else if (isTaskClaimable(task.status)) {
      task.status = 'running'
      // A lease that ran out: two workers did the same attempt, and do not agree.
      for (let worker = chance(0.2) ? 2 : 1; worker > 0; worker -= 1) send(strand, attempt(task))
    }
  }

  const list = (strand: MemoryStrand) => {
    const steps = run.undoable()
    const page = chance(0.5) ? steps.slice(0, 2) : steps
    run.undoAfter = undefined
    send(strand, { type: 'compensation_listed', steps: page, more: page.length < steps.length })
  }

  const answer = ({ created }: MemoryTask): CoreEvent => {
    const { node, kind } = created
    const isLate = chance(0.2)
    if (kind === 'review')
      return isLate
        ? { type: 'review_expired', node }
        : { type: 'review_decided', node, outcome: chance(0.7) ? 'approve' : 'reject' }
    if (kind !== 'workflow')
      return isLate
        ? { type: 'wait_expired', node }
        : { type: 'wait_over', node, payload: chance(0.9) ? { value: random() } : 'no object' }
    if (isLate && created.wait) return { type: 'wait_expired', node }
    if (chance(0.2)) return { type: 'child_run_ended', node, status: 'failed', output: {} }
    return created.wait
      ? { type: 'child_run_ended', node, status: 'completed', output: { value: random() } }
      : { type: 'wait_over', node, payload: { runId: 'r' } }
  }

  const attempt = ({ created: { node, path }, attempt: number }: MemoryTask): CoreEvent => {
    if (chance(1 - failing)) {
      const result = { at: path, value: random(), flag: chance(0.5) }
      return { type: 'task_succeeded', node, attempt: number, output: chance(0.95) ? result : { value: 1 } }
    }
    if (chance(0.3)) return { type: 'task_timed_out', node, attempt: number }
    const error = { code: 'TEST', message: 'test', retryable: chance(0.8) }
    return { type: 'task_failed', node, attempt: number, error }
  }

  for (let turn = 0; !isRunOver(run.status); turn += 1) {
    if (turn > 100_000) throw new Error('The run does not end.')
    const main = run.strands.get('')
    if (cancels && main && chance(0.02))
      run.tell(
        main,
        chance(0.5)
          ? { type: 'run_cancelled', reason: 'test' }
          : { type: 'run_taken_back', node: main.task?.created.node ?? '', reason: 'taken back' },
      )
    noteUndoable()
    if (old.length > 0 && chance(0.1)) mail.push(pick(old, random))
    if (mail.length > 0 && chance(0.6)) {
      const [letter] = mail.splice(Math.floor(random() * mail.length), 1)
      if (letter) deliver(letter)
    } else {
      const strands = [...run.strands.values()]
      if (strands.length > 0) look(pick(strands, random))
    }
  }
  const undone = [...run.tasks.keys()].filter((path) => path.endsWith('~undo'))
  return { run, refused, undone, undoable }
}

function pick<T>(list: readonly T[], random: () => number): T {
  const one = list[Math.floor(random() * list.length)]
  if (one === undefined) throw new Error('Nothing to pick from.')
  return one
}

/** mulberry32: numbers from 0 to 1 that depend on the seed alone. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
