// npm run bench -- <name> [--quick] [...]: runs test/bench/<name>.ts. One JSON line a measurement on standard output,
// a table for people on standard error, so that the two can be told apart by a pipe.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { Bench, Measurement } from './bench.ts'

const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
  .filter((name) => name !== 'run' && name !== 'bench')

const words = process.argv.slice(2)
const name = words.find((word) => !word.startsWith('-'))
const file = join(import.meta.dirname, `${name}.ts`)
if (name === undefined || !known.includes(name) || !existsSync(file)) {
  console.error(`Usage: npm run bench -- <name> [--quick]\nBenches: ${known.join(', ') || 'none yet'}`)
  process.exit(2)
}

const { bench } = (await import(pathToFileURL(file).href)) as { bench: Bench }
const measurements: Measurement[] = []
const started = performance.now()

await bench.run({
  quick: words.includes('--quick'),
  args: words.filter((word) => word !== '--quick' && word !== name),
  report(measurement) {
    if (!Number.isFinite(measurement.value)) {
      throw new Error(`${bench.name}: ${measurement.case} ${measurement.metric} is ${measurement.value}`)
    }
    measurements.push(measurement)
    const { case: of, metric, value, unit } = measurement
    console.log(JSON.stringify({ bench: bench.name, case: of, metric, value: round(value), unit }))
  },
})

const width = (column: (m: Measurement) => string) =>
  Math.max(0, ...measurements.map((m) => column(m).length))
const caseWidth = width((m) => m.case)
const metricWidth = width((m) => m.metric)
const valueWidth = width((m) => String(round(m.value)))
console.error(`\n${bench.name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
for (const m of measurements) {
  const value = String(round(m.value)).padStart(valueWidth)
  console.error(`  ${m.case.padEnd(caseWidth)}  ${m.metric.padEnd(metricWidth)}  ${value} ${m.unit}`)
}

/** Four significant digits, whole above a thousand: more would pretend. */
function round(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4))
}
