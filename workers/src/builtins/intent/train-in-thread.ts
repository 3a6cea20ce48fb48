import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import type { IntentModel } from './intent-model.ts'
import { ExamplesError } from './load-examples.ts'
import type { ExamplesFormat } from './load-examples.ts'
import { readModel } from './serialise-intent-model.ts'
import type { TrainOptions } from './train-intent-model.ts'

/** What the training thread is given: the examples as they are written down, so that reading them is its work too. */
export interface TrainingOrder {
  readonly source: string
  readonly format: ExamplesFormat
  readonly options: TrainOptions
}

const refusal = z.object({ refused: z.string() })

/**
 * Trains in a thread of its own, so that a worker process goes on claiming, renewing and answering
 * meanwhile. Rejects with {@link ExamplesError} when the examples cannot be used; an abort ends the
 * thread at once and rejects with the signal's reason.
 */
export async function trainInThread(order: TrainingOrder, signal?: AbortSignal): Promise<IntentModel> {
  signal?.throwIfAborted()
  const thread = new Worker(new URL('./training-thread.ts', import.meta.url), {
    workerData: order,
    // The parent's flags may name loaders and inspectors that have no business here.
    execArgv: [],
    name: 'intent-training',
  })
  const stop = (): void => void thread.terminate()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const ended = once(thread, 'exit').then(([code]) => {
      signal?.throwIfAborted()
      throw new Error(`the training thread ended without a model (exit code ${String(code)})`)
    })
    const [message] = (await Promise.race([once(thread, 'message'), ended])) as [unknown]
    const refused = refusal.safeParse(message)
    if (refused.success) throw new ExamplesError(refused.data.refused)
    return readModel(message)
  } finally {
    signal?.removeEventListener('abort', stop)
    await thread.terminate()
  }
}
