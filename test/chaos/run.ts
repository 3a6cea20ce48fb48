// npm run chaos [-- --quick] [-- --seed N] [-- --backend postgres|redis]: hurts a real platform on both queue backends and
// looks whether anything was lost. One JSON line a figure on standard output, a table for people on standard error.
import { runsOnRedis } from '../flows/redis-server.ts'
import { type Figure, holds } from './judge.ts'
import { type Backend, FULL, QUICK } from './plan-chaos.ts'
import { runChaos } from './run-chaos.ts'

const BACKENDS: readonly Backend[] = ['postgres', 'redis']
const MOST_DETAILS = 20

const words = process.argv.slice(2)
const quick = words.includes('--quick')
const seed = Number(valueOf('--seed') ?? Math.floor(Math.random() * 1_000_000))
const wanted = valueOf('--backend')
if (!Number.isInteger(seed) || (wanted !== undefined && !BACKENDS.some((backend) => backend === wanted))) {
  console.error('Usage: npm run chaos [-- --quick] [--seed <whole number>] [--backend postgres|redis]')
  process.exit(2)
}

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

for (const backend of BACKENDS) {
  if (stop.signal.aborted) break
  if (wanted !== undefined && backend !== wanted) continue
  if (backend === 'redis' && !runsOnRedis) {
    console.error('There is no redis-server on this machine: the other backend alone was tried.')
    continue
  }
  const amount = quick ? QUICK : FULL
  const report = await runChaos({
    backend,
    seed,
    amount,
    say: (line) => console.error(line),
    stop: stop.signal,
  }).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
    console.error('Stopped before its end: nothing is judged.')
    process.exitCode = 130
  })
  if (!report) break
  const { figures, sound, directory } = report
  for (const figure of figures) {
    const { name, value, unit, most, least } = figure
    console.log(
      JSON.stringify({
        chaos: backend,
        seed,
        figure: name,
        value: round(value),
        unit,
        most,
        least,
        holds: holds(figure),
      }),
    )
  }
  printTable(`${backend}, seed ${seed}`, figures)
  if (sound) continue
  console.error(`Broken. Logs and database are kept in ${directory}; play it again with --seed ${seed}.`)
  process.exitCode = 1
}
// Left to itself, Node now and then waits for ever, and busily, for what the proxies' sockets had begun when they were reset.
process.exit()

function valueOf(name: string): string | undefined {
  const at = words.indexOf(name)
  return at < 0 ? undefined : words[at + 1]
}

function printTable(title: string, figures: readonly Figure[]): void {
  const names = Math.max(...figures.map(({ name }) => name.length))
  const values = Math.max(...figures.map(({ value }) => String(round(value)).length))
  console.error(`\n${title}`)
  for (const figure of figures) {
    const { name, value, unit, details = [] } = figure
    const bound = boundOf(figure)
    const verdict = bound === '' ? '' : holds(figure) ? 'holds' : 'BROKEN'
    const number = String(round(value)).padStart(values)
    console.error(
      `  ${name.padEnd(names)}  ${number} ${unit.padEnd(8)} ${bound.padEnd(5)} ${verdict}`.trimEnd(),
    )
    for (const detail of details.slice(0, MOST_DETAILS)) console.error(`      ${detail}`)
    if (details.length > MOST_DETAILS) console.error(`      and ${details.length - MOST_DETAILS} more`)
  }
}

function boundOf({ most, least }: Figure): string {
  if (most !== undefined && most === least) return `= ${most}`
  if (most !== undefined) return `≤ ${most}`
  return least === undefined ? '' : `≥ ${least}`
}

function round(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toFixed(2))
}
