import type { Piece } from './pieces.ts'
import type { Random } from './random.ts'

/** What becomes of one statement and of who sends it. */
export type Fate =
  | 'goes well'
  | 'dies before sending'
  | 'connection lost before'
  | 'dies after sending'
  | 'connection lost after'
  | 'dies before the answer'
  | 'dies after the answer'
  /** Of a transaction: between its statements. */
  | 'dies within'

/** How rough the world is: shares of statements, messages, moments. */
export interface Mood {
  readonly crash: number
  readonly connection: number
  /** A statement that waits for locks while others commit. */
  readonly gap: number
  /** For how long it may wait, milliseconds. */
  readonly gapMs: number
  readonly slow: number
  readonly suspend: number
  readonly nudge: number
  readonly failing: number
  readonly control: number
  /** Starts and acts of control on which people have second thoughts: a pause that is over a moment later. */
  readonly haste: number
  readonly long: number
  /** How often people may do something, milliseconds. */
  readonly actMs: number
  /** For how long the world is rough at least, also when everything waits, milliseconds. */
  readonly roughMs: number
  /** Of worlds: with limits on what is under way. */
  readonly limits: number
  /** Of steps of agents: that can be undone. */
  readonly undo: number
  /** A worker holds one to six strands times this. */
  readonly hands: number
  /** Of workflows: what many of their steps are. */
  readonly favour: Piece | undefined
  /** Of workflows: with agents that kill who works with them. */
  readonly deadly: number
}

const CRASHES: readonly Fate[] = [
  'dies before sending',
  'dies after sending',
  'dies before the answer',
  'dies after the answer',
]

export const CALM: Mood = {
  crash: 0,
  connection: 0,
  gap: 0,
  gapMs: 0,
  slow: 0,
  suspend: 0,
  nudge: 0,
  failing: 0.1,
  control: 0,
  haste: 0,
  long: 0,
  actMs: 400,
  roughMs: 0,
  limits: 0,
  undo: 0,
  hands: 1,
  favour: undefined,
  deadly: 0,
}

const FAVOURITES: readonly Piece[] = ['parallel', 'map', 'signal', 'timer', 'event', 'sub']

/** The mood of a seed: some are rough in one way only, some in all. */
export function moodOf(random: Random): Mood {
  const share = (...shares: number[]) => random.pick(shares)
  return {
    crash: share(0, 0.01, 0.01, 0.04),
    connection: share(0, 0.02, 0.05),
    gap: share(0.1, 0.3, 0.6),
    gapMs: share(4, 4, 4, 90),
    slow: share(0, 0.005, 0.02),
    suspend: share(0, 0, 0.01, 0.02),
    nudge: share(0, 0.2, 1),
    failing: share(0.02, 0.1, 0.35),
    control: share(0, 0.02, 0.1),
    haste: share(0, 0, 0, 0.3),
    long: share(0, 0.02, 0.1),
    actMs: share(400, 400, 400, 400, 400, 40),
    roughMs: share(1_000, 1_000, 1_000, 3_000),
    limits: 0.25,
    undo: share(0.4, 0.4, 0.9),
    hands: 1,
    favour: random.chance(0.5) ? random.pick(FAVOURITES) : undefined,
    deadly: 0.03,
  }
}

export function fateOf(random: Random, { crash, connection }: Mood, isTransaction: boolean): Fate {
  const drawn = random.next()
  if (drawn < crash) {
    if (isTransaction && random.chance(0.3)) return 'dies within'
    return random.pick(CRASHES)
  }
  if (drawn < crash + connection)
    return random.chance(0.5) ? 'connection lost before' : 'connection lost after'
  return 'goes well'
}
