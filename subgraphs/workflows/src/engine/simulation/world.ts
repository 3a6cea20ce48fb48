import type { WorkflowDefinition } from '../../definitions/index.ts'
import { fateOf, type Mood } from './faults.ts'
import { answerOf, type Coroutine } from './coroutine.ts'
import type { Beginning } from './beginning.ts'
import type { Counts } from './counts.ts'
import type { Invariants } from './invariants.ts'
import type { Process } from './process.ts'
import type { Random } from './random.ts'
import type { Done, Statement } from './statement.ts'
import type { StoreRules } from './store/rules.ts'
import type { Snapshot, Tables } from './tables.ts'
import type { Timeline } from './timeline.ts'
import type { WorkerRules } from './worker-rules.ts'

/** What everything in one simulation shares. */
export interface World {
  readonly timeline: Timeline
  readonly random: Random
  readonly db: Tables
  readonly store: StoreRules
  readonly worker: WorkerRules
  readonly invariants: Invariants
  /** By the id of their version. */
  readonly definitions: ReadonlyMap<string, WorkflowDefinition>
  /** On tasks, and on runs. */
  readonly hasLimits: boolean
  readonly limitsRuns: boolean
  /** How often what happened. */
  readonly counts: Counts
  mood: Mood
  /** Starts a run in the process of some worker, which may begin it itself. */
  startInWorker: (what: Beginning, answered: (id: string) => void) => void
  /** Tells the workers, or some of them, or none, that there may be work. */
  nudge: () => void
  /** Told what happens, when somebody reads it. */
  note?: ((text: string) => void) | undefined
  /** Told of everything that the database did. */
  told?: ((done: Done) => void) | undefined
}

/** A connection that broke: what was sent may have been done. */
export const CONNECTION_LOST = new Error('The connection broke.')

interface Call<T> {
  /** As it is called in traces and counts. */
  readonly name: string
  readonly isTransaction?: boolean
  /** The same as data. */
  readonly statement?: Statement
  /** `then`: what the statement saw when it began; others may have committed since. */
  readonly work: (db: Tables, then: Snapshot) => T
}

/** One statement, or one transaction, of a process: it takes its time, and both ends may break on the way. */
export function* query<T>(world: World, process: Process, call: Call<T>): Coroutine<T> {
  const { timeline, random, mood, db } = world
  const { name, work, statement, isTransaction = false } = call
  const fate = fateOf(random, mood, isTransaction)
  return yield* answerOf<T>((resolve, reject) => {
    const die = () => {
      world.counts.add(`${name}: ${fate}`)
      world.note?.(`${process.name} dies: ${name}, ${fate}`)
      process.kill()
    }
    const fail = (error: Error) => process.deliver(() => reject(error))
    if (fate === 'dies before sending') return die()
    if (random.chance(mood.suspend)) suspend(world, process, name)
    const latency = random.chance(mood.slow) ? random.between(1_000, 9_000) : random.between(0.1, 1)
    if (fate === 'connection lost before') {
      world.counts.add(`${name}: ${fate}`)
      return timeline.after(latency, () => fail(CONNECTION_LOST))
    }
    if (fate === 'dies after sending' || fate === 'dies within') die()
    const finish = (then: Snapshot) => {
      if (fate === 'dies within') return
      let answer: T
      try {
        answer = commit(world, { name, statement, by: process.name }, () => work(db, then))
      } catch (error) {
        return fail(error instanceof Error ? error : new Error(String(error)))
      }
      if (fate === 'dies before the answer') return die()
      timeline.after(random.between(0.1, 1), () =>
        process.deliver(() => {
          if (fate === 'dies after the answer') return die()
          if (fate !== 'connection lost after') return resolve(answer)
          world.counts.add(`${name}: ${fate}`)
          reject(CONNECTION_LOST)
        }),
      )
    }
    timeline.after(latency, () => {
      if (!random.chance(mood.gap)) return finish(db)
      const then = db.snapshot()
      timeline.after(random.between(0.1, random.chance(0.1) ? 30 : mood.gapMs), () => finish(then))
    })
  })
}

/** Stops a process for a while, perhaps for longer than its leases last. */
export function suspend({ timeline, random, counts, note }: World, process: Process, at: string): void {
  counts.add(`${at}: suspended`)
  note?.(`${process.name} is suspended: ${at}`)
  process.suspend()
  timeline.after(random.between(300, 9_000), () => process.goOn())
}

/** Does what a statement does, and looks at what has become of it. An error takes it back. */
export function commit<T>(
  world: World,
  { name, statement, by }: { name: string; statement: Statement | undefined; by: string },
  work: () => T,
): T {
  const { db, invariants, note, told } = world
  const events = db.event.length
  let answer: T
  try {
    answer = work()
  } catch (error) {
    db.rollback(events)
    invariants.refused(name, error)
    throw error
  }
  if (!world.worker.waitsForCommit && world.random.chance(world.mood.connection)) {
    db.rollback(events)
    return answer
  }
  if (note) invariants.describe((text) => note(`${by} ${name}: ${text}`), events)
  invariants.committed(name, events)
  told?.({
    ...{ name, statement, answer, now: db.clock() },
    changes: {
      ...{ run: db.run.changes, strand: db.strand.changes },
      ...{ task: db.task.changes, run_signal: db.run_signal.changes },
    },
    events: db.event.slice(events),
  })
  db.commit()
  return answer
}
