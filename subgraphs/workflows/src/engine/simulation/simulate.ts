import { DEADLY } from './agents.ts'
import type { Beginning } from './beginning.ts'
import { Counts } from './counts.ts'
import { CALM, type Mood, moodOf } from './faults.ts'
import { idOf } from './id-of.ts'
import { Invariants } from './invariants.ts'
import { People } from './people.ts'
import { BEGINNING, Process } from './process.ts'
import { Random } from './random.ts'
import { randomLimits } from './random-limits.ts'
import { randomWorkflow } from './random-workflow.ts'
import { stuckOf } from './reason-of.ts'
import type { Done } from './statement.ts'
import { STORE_RULES, type StoreRules } from './store/rules.ts'
import { Tables } from './tables.ts'
import { Timeline } from './timeline.ts'
import type { Violation } from './violation.ts'
import { Worker } from './worker.ts'
import { WORKER_RULES, type WorkerRules } from './worker-rules.ts'
import type { World } from './world.ts'

/** What one seed came to. */
export interface Simulated {
  readonly seed: number
  readonly violation: Violation | undefined
  /** How often what happened. */
  readonly counts: ReadonlyMap<string, number>
  /** Virtual milliseconds. */
  readonly time: number
}

export interface SimulateOptions {
  /** Told what happens. */
  note?: (text: string) => void
  /** Told what the database does. */
  told?: (done: Done) => void
  /** What is different in a store or a worker with a planted bug. */
  store?: StoreRules
  worker?: WorkerRules
  /** What is not left to the seed. */
  mood?: Partial<Mood>
}

const ROUGH_MS = 12_000
const CALM_MS = 400_000
/** A step that kills its workers is given up after eight of them, and what limits hold back comes one after the other. */
const SLOW_CALM_MS = 24_000_000
const TICK_MS = 400

/**
 * Plays some runs in a world made of the numbers of a seed: several workers that crash, are suspended and come back, a
 * store in memory, connections that break, nudges that are lost. After a while the world calms down, and everything must
 * come to an end, or wait for a reason.
 */
export function simulate(seed: number, options: SimulateOptions = {}): Simulated {
  const random = new Random(seed)
  const timeline = new Timeline()
  // In quarters of a millisecond, which numbers of this size hold exactly, and so round as PostgreSQL rounds them.
  const db = new Tables(() => BEGINNING + Math.floor(timeline.now * 4) / 4)
  const counts = new Counts()
  const mood = { ...moodOf(random), ...options.mood }
  const { undo, favour } = mood
  const definitions = new Map(
    [
      randomWorkflow(random, { name: 'sub', size: 3, undo, favour }),
      randomWorkflow(random, {
        ...{ name: 'main', sub: 'sub', size: 8, undo, favour },
        deadly: random.chance(mood.deadly),
      }),
    ].map((definition) => [idOf(definition.name), definition]),
  )
  const steps = [...definitions.values()].flatMap(({ nodes }) => Object.values(nodes))
  const isDeadly = steps.some((node) => node.kind === 'task' && node.agent === DEADLY)
  const limits = random.chance(mood.limits) ? randomLimits(random) : []
  for (const limit of limits) db.engine_limit.insert(limit)
  db.commit()
  const calmMs = isDeadly || limits.length > 0 ? SLOW_CALM_MS : CALM_MS
  const invariants = new Invariants(db, definitions, counts)
  const { note } = options
  const world: World = {
    timeline,
    random,
    db,
    store: options.store ?? STORE_RULES,
    worker: options.worker ?? WORKER_RULES,
    invariants,
    definitions,
    hasLimits: limits.some(({ counts }) => counts === 'tasks'),
    limitsRuns: limits.some(({ counts }) => counts === 'runs'),
    counts,
    mood,
    startInWorker: () => undefined,
    nudge: () => undefined,
    told: options.told,
    ...(note ? { note: (text: string) => note(`${timeline.now.toFixed(2).padStart(9)} ${text}`) } : {}),
  }
  const crew = new Crew(world, random.whole(2, 3))
  world.nudge = () => crew.nudge()
  world.startInWorker = (what, answered) => crew.start(what, answered)
  const people = new People(world)
  for (let run = random.whole(1, 2); run > 0; run -= 1)
    timeline.after(random.between(0, 500), () => people.start('main', `key ${run}`))
  let isDone = false
  const tick = () => {
    const isRough = timeline.now < ROUGH_MS && (timeline.now < mood.roughMs || !isQuiet(world))
    if (!isRough && world.mood !== CALM) {
      world.note?.('the world calms down')
      world.mood = CALM
      crew.calm()
    }
    if (isRough) {
      crew.act()
    } else {
      crew.calm()
      if (timeline.now < ROUGH_MS + 20_000) people.answer()
      isDone = isQuiet(world) || timeline.now > calmMs
    }
    if (!isDone) timeline.after(TICK_MS, tick)
  }
  timeline.after(TICK_MS, tick)
  const act = () => {
    if (world.mood === CALM) return
    people.act()
    timeline.after(mood.actMs, act)
  }
  timeline.after(mood.actMs, act)
  while (!isDone && !invariants.violation) if (!timeline.step()) break
  if (!invariants.violation) invariants.finish()
  return { seed, violation: invariants.violation, counts: counts.of, time: timeline.now }
}

/** Whether every run is over, or waits for what nobody inside can bring. */
const isQuiet = ({ db, timeline }: World): boolean => timeline.now > 1_000 && stuckOf(db).length === 0

/** The workers: some are always there, in one life or the next. */
class Crew {
  readonly #world: World
  #workers: Worker[]
  #lives = 0

  constructor(world: World, size: number) {
    this.#world = world
    this.#workers = Array.from({ length: size }, () => this.#hire())
  }

  /** Nudges are lost, late, doubled, and out of order. */
  nudge(): void {
    const { random, mood, timeline, counts } = this.#world
    if (random.chance(mood.nudge)) return counts.add('nudge lost')
    const times = random.chance(0.1) ? 2 : 1
    if (times > 1) counts.add('nudge doubled')
    for (let time = 0; time < times; time += 1) {
      const worker = random.pick(this.#workers)
      timeline.after(random.between(0, random.chance(0.1) ? 400 : 2), () =>
        worker.process.deliver(() => worker.wake()),
      )
    }
  }

  start(what: Beginning, answered: (id: string) => void): void {
    const worker = this.#world.random.pick(this.#workers)
    worker.process.deliver(() => worker.start(what, answered))
  }

  /** The dead come back after a while. */
  act(): void {
    const { random } = this.#world
    this.#workers = this.#workers.map((worker) =>
      worker.process.isAlive || random.chance(0.5) ? worker : this.#hire(),
    )
  }

  calm(): void {
    this.#workers = this.#workers.map((worker) => (worker.process.isAlive ? worker : this.#hire()))
  }

  #hire(): Worker {
    const { random, timeline } = this.#world
    this.#lives += 1
    const skew = random.pick([0, 0, -600_000, 3_000, 86_400_000])
    const process = new Process(timeline, this.#lives, { rate: random.between(0.9, 1.1), skew })
    return new Worker(this.#world, process, random.whole(1, 6) * this.#world.mood.hands)
  }
}
