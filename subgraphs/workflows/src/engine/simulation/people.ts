import { isRunOver, isTaskOver } from '../core/index.ts'
import type { Coroutine } from './coroutine.ts'
import { CALM } from './faults.ts'
import type { Beginning } from './beginning.ts'
import { idOf } from './id-of.ts'
import { Process } from './process.ts'
import { cancelRun, pauseRun, resumeRun, tellCore } from './store/control.ts'
import { resumeTask, signalRun, startRun, wakeEventWaits } from './store/outside.ts'
import type { Run, Snapshot, Tables, Task } from './tables.ts'
import { Recorder } from './record-events.ts'
import { CONNECTION_LOST, query, type World } from './world.ts'

/** What some runs are counted under. */
export const KEY = 'customer'
const AFTER_A_LOST_ANSWER_MS = 300
const AFTER_NO_ANSWER_MS = 3_000

/** Everybody outside: who starts runs, decides, sends signals, pauses, resumes and cancels. */
export class People {
  readonly #world: World
  readonly #process: Process
  readonly #recorder: Recorder

  constructor(world: World) {
    this.#world = world
    this.#process = new Process(world.timeline, 0)
    this.#recorder = new Recorder(world, this.#process)
  }

  /** Starts a run, and asks again with the same key until the start is answered: a worker's process, or another. */
  start(workflow: string, key: string): void {
    const { random } = this.#world
    const limitKey = random.chance(0.5) ? KEY : null
    this.#start({ workflow: idOf(workflow), key, limitKey })
  }

  #start(what: Pick<Beginning, 'workflow' | 'key' | 'limitKey'>): void {
    const { store, db, random, invariants } = this.#world
    if (random.chance(0.5)) {
      this.#world.startInWorker({ ...what, id: this.#recorder.newId() }, (id) => this.#started(what.key, id))
      this.#process.after(AFTER_NO_ANSWER_MS, () => {
        if (!invariants.accepted.has(what.key)) this.#start(what)
      })
      return
    }
    const { start } = this.#recorder.planStart({ ...what, id: this.#recorder.newId() })
    this.#ask(
      'start',
      () => startRun(db, store.outside, start),
      ({ id }) => this.#started(what.key, id),
    )
  }

  #started(key: string, id: string): void {
    const { random, mood, timeline, invariants } = this.#world
    invariants.accepted.set(key, id)
    // Who has second thoughts has them before a worker has begun it, or soon after.
    if (random.chance(mood.haste)) timeline.after(random.between(0, 6), () => this.#pauseBriefly(id))
  }

  /** Does something, or nothing. */
  act(): void {
    const { random, mood, db } = this.#world
    for (const task of db.task.values())
      if (task.status === 'waiting' && task.kind === 'review' && random.chance(0.3)) this.decide(task)
    const runs = [...db.run.values()].filter(({ status }) => !isRunOver(status))
    if (runs.length === 0) return
    const run = random.pick(runs)
    if (random.chance(0.15)) this.signal(run.id, random.pick(['go', 'stop']))
    if (random.chance(0.1)) this.publish()
    if (!random.chance(mood.control)) return
    const drawn = random.next()
    if (random.chance(mood.haste)) return this.#pauseBriefly(run.id)
    if (drawn < 0.35) this.#control('pause', run.id, pauseRun)
    else if (drawn < 0.6) this.#control('resume', run.id, resumeRun)
    else if (drawn < 0.75) this.#control('cancel', run.id, cancelRun)
    else this.#byHand(run)
  }

  /** What people still do when the world is calm: most is answered, some is left. */
  answer(): void {
    const { random, db } = this.#world
    for (const task of db.task.values())
      if (task.status === 'waiting' && task.kind === 'review' && random.chance(0.6)) this.decide(task)
    for (const run of db.run.values())
      if (run.status === 'paused' && !run.paused_with_parent) this.#control('resume', run.id, resumeRun)
    for (const { run_id, wait_key } of db.strand.values())
      if (wait_key?.startsWith('signal:') && random.chance(0.3)) this.#remind(run_id, wait_key.slice(7))
    if (random.chance(0.3)) this.publish()
  }

  /** Sends what is waited for, if it was not sent: what was must have reached its step. */
  #remind(run: string, name: string): void {
    for (const signal of this.#world.db.run_signal.values())
      if (signal.run_id === run && signal.name === name && signal.taken_at === null) return
    this.signal(run, name)
  }

  decide({ id, node_id: node }: Task): void {
    const { random, db } = this.#world
    const outcome = random.chance(0.8) ? 'approve' : 'reject'
    const resume = random.chance(0.15)
      ? ({ type: 'review_expired', node } as const)
      : ({ type: 'review_decided', node, outcome, by: 'somebody' } as const)
    this.#ask('decide', () => resumeTask(db, id, resume))
  }

  signal(run: string, name: string): void {
    const { store, db } = this.#world
    const id = this.#recorder.newId()
    this.#ask('signal', (_db, then) => signalRun(db, then, store.signals, { id, run, name, payload: id }))
  }

  publish(): void {
    const { store, db } = this.#world
    this.#ask('publish', (_db, then) => wakeEventWaits(db, then, store.outside, 'thing.happened'))
  }

  /** Pauses a run, perhaps as a signal comes, and resumes it a moment later. */
  #pauseBriefly(id: string): void {
    const { random, timeline } = this.#world
    this.#control('pause', id, pauseRun)
    if (random.chance(0.5)) timeline.after(random.between(0, 60), () => this.signal(id, this.#awaitedBy(id)))
    timeline.after(random.between(0, 60), () => this.#control('resume', id, resumeRun))
  }

  /** The name of a signal that the run waits for, if it waits for one. */
  #awaitedBy(run: string): string {
    const { db, random } = this.#world
    for (const { run_id, wait_key } of db.strand.values())
      if (run_id === run && wait_key?.startsWith('signal:')) return wait_key.slice(7)
    return random.pick(['go', 'stop'])
  }

  #control(name: string, id: string, act: (db: Tables, rules: World['store'], id: string) => boolean): void {
    this.#ask(name, (db) => {
      const done = act(db, this.#world.store, id)
      if (done) this.#world.counts.add(`${name} done`)
      return done
    })
  }

  /** An operator skips a step, gives it up, or says what it came to. */
  #byHand(run: Run): void {
    const { random, db, store, invariants } = this.#world
    const open = [...db.task.values()].filter((t) => t.run_id === run.id && !isTaskOver(t.status))
    if (open.length === 0) return
    const task = random.pick(open)
    const { node_id: node, id } = task
    const event = random.chance(0.5)
      ? ({ type: 'task_skipped', node } as const)
      : ({ type: 'task_cancelled', node, error: { code: 'TASK_CANCELLED', message: 'By hand.' } } as const)
    this.#ask('by hand', () => {
      const done = tellCore(db, store, id, event)
      if (done) invariants.byHand.add(id)
      if (done) this.#world.counts.add('by hand done')
      return done
    })
  }

  #ask<T>(
    name: string,
    work: (db: Tables, then: Snapshot) => T,
    then: (answer: T) => void = () => undefined,
  ): void {
    const { mood } = this.#world
    // People do not die; their connections do.
    const world = { ...this.#world, mood: mood === CALM ? mood : { ...mood, crash: 0, suspend: 0 } }
    this.#process.run(this.#asked(world, name, work, then), (error) => {
      if (error !== CONNECTION_LOST) return this.#world.invariants.failed(error)
      this.#process.after(AFTER_A_LOST_ANSWER_MS, () => this.#ask(name, work, then))
    })
  }

  *#asked<T>(
    world: World,
    name: string,
    work: (db: Tables, then: Snapshot) => T,
    then: (answer: T) => void,
  ): Coroutine<void> {
    then(yield* query(world, this.#process, { name, work }))
    this.#world.nudge()
  }
}
