import { seededRandom } from './seeded-random.ts'
import { SHAPES, type ShapeName } from './shapes.ts'

/** Where wake-ups queue: BullMQ on PostgreSQL or on Redis. */
export type Backend = 'postgres' | 'redis'

/** How much of everything. */
export interface ChaosAmount {
  runs: number
  workers: number
  /** Worker processes ended by SIGKILL. */
  kills: number
  /** Worker processes stopped (SIGSTOP) for longer than their leases. */
  freezes: number
  /** PostgreSQL ended in immediate mode and started again. */
  crashes: number
  /** Redis ended by SIGKILL and started again empty; none where the queue is on PostgreSQL. */
  redisKills: number
  /** Redis emptied while it runs. */
  flushes: number
  /** All connections of a worker to PostgreSQL reset at once. */
  resets: number
  /** Connections of a worker cut after PostgreSQL has done a statement, before its answer arrives. */
  lostReplies: number
  /** Nothing passes between a worker and PostgreSQL for longer than its leases, and then everything: late writes. */
  stalls: number
  /** Milliseconds between two faults: least and most. */
  gap: readonly [number, number]
  /** Milliseconds after the last fault within which every run must have ended. */
  patience: number
}

/** What issue 3 asks for, on each backend. */
export const FULL: ChaosAmount = {
  runs: 2_000,
  workers: 3,
  kills: 50,
  freezes: 10,
  crashes: 5,
  redisKills: 5,
  flushes: 3,
  resets: 6,
  lostReplies: 6,
  stalls: 6,
  gap: [1_200, 3_600],
  patience: 120_000,
}

/** A tenth of the runs and a fifth of the faults, half of them on each backend. */
export const QUICK: ChaosAmount = {
  ...FULL,
  runs: 100,
  kills: 5,
  freezes: 1,
  crashes: 1,
  redisKills: 1,
  flushes: 1,
  resets: 1,
  lostReplies: 1,
  stalls: 1,
  gap: [600, 1_800],
  patience: 60_000,
}

/** Something that goes wrong; `slot` is the place of a worker. */
export type Fault =
  | { readonly kind: 'reset' | 'lost-reply'; readonly slot: number }
  /** It strikes this many milliseconds after the worker was seen with work. */
  | { readonly kind: 'kill'; readonly slot: number; readonly later: number }
  | { readonly kind: 'freeze' | 'stall'; readonly slot: number; readonly later: number; readonly ms: number }
  | { readonly kind: 'crash' | 'redis-kill' | 'flush' }

/** A fault, and the milliseconds since the one before. */
export type PlannedFault = Fault & { readonly after: number }

/** What a seed stands for. */
export interface ChaosPlan {
  /** Of each run, in the order of their starts. */
  readonly shapes: readonly ShapeName[]
  readonly faults: readonly PlannedFault[]
}

/** The order of shapes and faults, and their places and times: a pure function of its arguments. */
export function planChaos(seed: number, amount: ChaosAmount, backend: Backend): ChaosPlan {
  const random = seededRandom(seed)
  const names = Object.keys(SHAPES).filter((name): name is ShapeName => name in SHAPES)
  // Every shape as often as any other, within each round in another order.
  const rounds = Math.ceil(amount.runs / names.length)
  const shapes = Array.from({ length: rounds }, () => random.shuffle(names))
    .flat()
    .slice(0, amount.runs)

  const slot = (): number => random.between(0, amount.workers - 1)
  const later = (): number => random.between(0, 400)
  const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
  const lasting = (kind: 'freeze' | 'stall'): Fault => ({
    kind,
    slot: slot(),
    later: later(),
    ms: random.between(6_500, 8_500),
  })
  const faults = random.shuffle<Fault>([
    ...times(amount.kills, () => ({ kind: 'kill' as const, slot: slot(), later: later() })),
    ...times(amount.freezes, () => lasting('freeze')),
    ...times(amount.stalls, () => lasting('stall')),
    ...times(amount.crashes, () => ({ kind: 'crash' as const })),
    ...times(amount.resets, () => ({ kind: 'reset' as const, slot: slot() })),
    ...times(amount.lostReplies, () => ({ kind: 'lost-reply' as const, slot: slot() })),
    ...(backend === 'redis'
      ? [
          ...times(amount.redisKills, () => ({ kind: 'redis-kill' as const })),
          ...times(amount.flushes, () => ({ kind: 'flush' as const })),
        ]
      : []),
  ])
  return { shapes, faults: faults.map((fault) => ({ ...fault, after: random.between(...amount.gap) })) }
}
