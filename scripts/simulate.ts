// npm run simulate -- [--seeds N] [--from N] [--seed N] [--trace] [--bug NAME] [--threads N]: plays the engine's protocol in
// worlds made of seeds, until an invariant breaks. docs/simulation.md says what is played and what must hold.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { BUGS } from '../subgraphs/workflows/src/engine/simulation/bugs.ts'
import { playSeeds } from '../subgraphs/workflows/src/engine/simulation/play-seeds.ts'
import { simulate } from '../subgraphs/workflows/src/engine/simulation/simulate.ts'

const USAGE =
  'Usage: npm run simulate [-- [--seeds N] [--from N] [--threads N] | --seed N [--trace]] [--bug NAME]'
const SEEDS = 10_000
/** Lines of a trace that are shown unasked: the last ones. */
const SHORT = 60
const PROGRESS_MS = 2_000

const options = readOptions()
if (options.seed === undefined) await search(options)
else replay(options.seed, options)

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string' },
        from: { type: 'string' },
        seed: { type: 'string' },
        threads: { type: 'string' },
        trace: { type: 'boolean' },
        bug: { type: 'string' },
      },
    })
    const { trace = false, bug } = values
    if (bug !== undefined && !BUGS.some(({ name }) => name === bug))
      throw new Error(
        `No bug is called "${bug}". There are:\n${BUGS.map(({ name }) => `  ${name}`).join('\n')}`,
      )
    return {
      seeds: whole(values.seeds, 'seeds') ?? SEEDS,
      from: whole(values.from, 'from') ?? 1,
      seed: whole(values.seed, 'seed'),
      threads: whole(values.threads, 'threads') ?? availableParallelism(),
      trace,
      bug,
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    console.error(USAGE)
    process.exit(2)
  }
}

function whole(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`--${name} is a whole number above 0, not "${text}".`)
  return number
}

async function search({ seeds, from, threads, bug }: ReturnType<typeof readOptions>): Promise<void> {
  const began = performance.now()
  let said = began
  const onPlayed = (played: number) => {
    const now = performance.now()
    if (now - said < PROGRESS_MS) return
    said = now
    const left = ((now - began) / played) * (seeds - played)
    console.error(`${played} of ${seeds} seeds, about ${Math.ceil(left / 1_000)} s left`)
  }
  const {
    seeds: played,
    counts,
    broken,
  } = await playSeeds({ from, to: from + seeds, bug }, { threads, onPlayed })
  printCounts(counts)
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  if (!broken) return console.log(`${played} seeds from ${from} in ${seconds} s: every invariant held.`)
  replay(broken.seed, { bug, trace: false })
}

/** Plays one seed here, and says what came of it. */
function replay(seed: number, { bug, trace }: { bug?: string | undefined; trace: boolean }): void {
  const lines: string[] = []
  const planted = BUGS.find(({ name }) => name === bug)
  const { violation, counts, time } = simulate(seed, { ...planted, note: (line) => lines.push(line) })
  if (trace) for (const line of lines) console.log(line)
  if (!violation) {
    if (trace) printCounts(counts)
    console.log(`Seed ${seed}: every invariant held, ${(time / 1_000).toFixed(1)} s of virtual time.`)
    return
  }
  if (!trace) {
    if (lines.length > SHORT) console.log(`… ${lines.length - SHORT} lines before`)
    for (const line of lines.slice(-SHORT)) console.log(line)
  }
  const which = bug === undefined ? '' : ` --bug '${bug}'`
  console.error(`Seed ${seed} breaks "${violation.invariant}": ${violation.text}`)
  console.error(`The whole of it: npm run simulate -- --seed ${seed} --trace${which}`)
  process.exitCode = 1
}

function printCounts(counts: ReadonlyMap<string, number>): void {
  for (const [what, count] of [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${String(count).padStart(10)}  ${what}`)
}
