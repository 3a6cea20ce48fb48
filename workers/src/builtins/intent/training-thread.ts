// The thread that train-in-thread.ts starts: reads the examples, trains, hands the arrays over
// without copying them.
import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { ExamplesError, parseExamples } from './load-examples.ts'
import { trainIntentModel } from './train-intent-model.ts'

const order = z
  .object({
    source: z.string(),
    format: z.enum(['csv', 'jsonl']),
    options: z.object({ seed: z.number().optional(), cost: z.number().optional() }),
  })
  .parse(workerData)

try {
  const model = trainIntentModel(parseExamples(order.source, order.format), order.options)
  parentPort?.postMessage(model, [
    model.weights.buffer as ArrayBuffer,
    model.vocabulary.hashes.buffer as ArrayBuffer,
    model.vocabulary.indexes.buffer as ArrayBuffer,
    model.vocabulary.idf.buffer as ArrayBuffer,
  ])
} catch (error) {
  if (!(error instanceof ExamplesError)) throw error
  parentPort?.postMessage({ refused: error.message })
}
