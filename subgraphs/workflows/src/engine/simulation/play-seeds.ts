import { Worker } from 'node:worker_threads'
import type { Violation } from './violation.ts'

/** Seeds to play until one breaks an invariant; `to` is the first that is not played. */
export interface Job {
  readonly from: number
  readonly to: number
  /** The name of a planted bug. */
  readonly bug?: string | undefined
  /** Only its worlds, without the bug itself. */
  readonly isMended?: boolean | undefined
}

/** What they came to. */
export interface Played {
  /** How many were played. */
  readonly seeds: number
  /** How often what happened, in all of them. */
  readonly counts: ReadonlyMap<string, number>
  /** The first that broke an invariant. */
  readonly broken?: Violation & { readonly seed: number }
}

/** Seeds that a thread gets at a time. */
const BLOCK = 250

/**
 * Plays seeds on threads of their own, in order, and stops at the first that breaks an invariant: which that is does not
 * depend on the threads. `onPlayed` is told how many were played so far.
 *
 * @throws what a thread threw.
 */
export async function playSeeds(
  { from, to, ...kind }: Job,
  { threads, onPlayed = () => undefined }: { threads: number; onPlayed?: (seeds: number) => void },
): Promise<Played> {
  const counts = new Map<string, number>()
  let seeds = 0
  let next = from
  const broken: NonNullable<Played['broken']>[] = []

  async function playBlocks(): Promise<void> {
    await using thread = new SeedThread()
    while (next < to && broken.length === 0) {
      const block = { from: next, to: Math.min(next + BLOCK, to), ...kind }
      next = block.to
      const played = await thread.play(block)
      seeds += played.seeds
      for (const [what, count] of played.counts) counts.set(what, (counts.get(what) ?? 0) + count)
      if (played.broken) broken.push(played.broken)
      onPlayed(seeds)
    }
  }

  await Promise.all(Array.from({ length: threads }, playBlocks))
  const [first] = broken.toSorted((a, b) => a.seed - b.seed)
  return { seeds, counts, ...(first ? { broken: first } : {}) }
}

/** One thread, which plays one job after the other. */
export class SeedThread implements AsyncDisposable {
  // Native, without what the process that starts it was told to load.
  readonly #worker = new Worker(new URL('./seed-thread.ts', import.meta.url), { execArgv: [] })

  play(job: Job): Promise<Played> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        this.#worker.off('message', onMessage).off('error', onError).off('exit', onExit)
        settle()
      }
      const onMessage = (played: Played) => done(() => resolve(played))
      const onError = (error: unknown) => done(() => reject(error))
      const onExit = (code: number) => done(() => reject(new Error(`A thread ended with ${code}.`)))
      this.#worker.on('message', onMessage).on('error', onError).on('exit', onExit)
      this.#worker.postMessage(job)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}
