import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type IntentExample, loadExamples, predictIntent, trainIntentModel } from '@tutti/workers/intent'
import { type Bench, type BenchContext, median } from './bench.ts'

const ROOT = join(import.meta.dirname, '../..')
/** Messages of no shop or bank: verses, recipes, code, orders, noise, in four languages. None of them is in the background set, though the first 65 were at hand
 * while that was written; the last 30 came after it. */
const STRANGERS = readFileSync(join(import.meta.dirname, 'intent-strangers.txt'), 'utf8')
  .trim()
  .split('\n')

/**
 * The intent classifier on a fifth held out: case `banking77` (10,003 messages, 77 intents, from outside the project, or the
 * file named on the command line) and case `example` (the example's 564 messages in three languages). `accepted_accuracy`
 * counts a right answer that was rejected as wrong; `kept` is the share of messages that were taken to fit.
 */
export const bench: Bench = {
  name: 'intent',
  async run(context) {
    const dataset = context.args[0] ?? join(ROOT, '../shared/data/banking77/train.csv')
    if (existsSync(dataset)) await measure(context, 'banking77', dataset)
    else console.error(`skipped: no data at ${dataset}; name a CSV file with the columns text,category`)
    await measure(context, 'example', join(ROOT, 'examples/customer-service/intents.csv'))
  },
}

async function measure(context: BenchContext, name: string, file: string): Promise<void> {
  const examples = await loadExamples(file)
  const rounds = Array.from({ length: context.quick ? 1 : 3 }, (_, round) => oneRound(examples, round))
  const report = (metric: string, unit: string, of: (round: Round) => number): void =>
    context.report({ case: name, metric, value: median(rounds.map(of)), unit })
  report('accuracy', '%', (round) => 100 * round.accuracy)
  report('accepted_accuracy', '%', (round) => 100 * round.accepted)
  report('kept', '%', (round) => 100 * round.kept)
  report('strangers_rejected', '%', (round) => 100 * round.rejected)
  report('training', 's', (round) => round.seconds)
  report('prediction', 'ms', (round) => round.ms)
}

type Round = ReturnType<typeof oneRound>

function oneRound(examples: readonly IntentExample[], round: number) {
  const order = shuffled(examples, round + 11)
  const held = order.filter((_, index) => index % 5 === 0)
  const started = performance.now()
  const model = trainIntentModel(order.filter((_, index) => index % 5 !== 0))
  const trained = performance.now()
  const predicted = held.map(({ text }) => predictIntent(model, text))
  const done = performance.now()
  const share = (count: (index: number) => boolean): number =>
    held.filter((_, index) => count(index)).length / held.length
  return {
    accuracy: share((index) => predicted[index]?.alternatives[0]?.intent === held[index]?.intent),
    accepted: share((index) => predicted[index]?.intent === held[index]?.intent),
    kept: share((index) => predicted[index]?.fits === true),
    rejected: STRANGERS.filter((text) => !predictIntent(model, text).fits).length / STRANGERS.length,
    seconds: (trained - started) / 1000,
    ms: (done - trained) / held.length,
  }
}

/** An order that depends on the seed alone (a linear congruential generator sorts). */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed
  const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0)
  for (let warm = 0; warm < 10; warm++) next()
  return items
    .map((item) => ({ item, at: next() }))
    .sort((left, right) => left.at - right.at)
    .map(({ item }) => item)
}
