import { Worker } from 'node:worker_threads'
import type { FromThread, ToThread } from './check-thread.ts'
import type { Checker } from './verify-blocks.ts'

/** So that no thread waits for its next block. */
const BLOCKS_A_THREAD = 2

/** A checker with so many threads; they end when it is disposed. */
export function openThreads(count: number): Checker & AsyncDisposable {
  const threads = Array.from({ length: count }, openThread)
  let turn = 0
  return {
    most: count * BLOCKS_A_THREAD,
    begin(settings) {
      for (const thread of threads) thread.tell({ settings })
    },
    async check(block) {
      const thread = threads[turn++ % count]
      if (!thread) throw new Error('There is no thread.')
      return thread.check(block)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(threads.map(({ end }) => end()))
    },
  }
}

function openThread() {
  // What runs has been built, or not: see bin.
  const worker = new Worker(
    new URL(import.meta.url.endsWith('.ts') ? './check-thread.ts' : './check-thread.js', import.meta.url),
  )
  const asked: PromiseWithResolvers<FromThread>[] = []
  let failed: Error | undefined
  worker.on('message', (answer: FromThread) => asked.shift()?.resolve(answer))
  worker.on('error', (error) => {
    failed = error instanceof Error ? error : new Error('A thread failed.')
    for (const { reject } of asked.splice(0)) reject(failed)
  })
  const tell = (told: ToThread): void => worker.postMessage(told)
  return {
    tell,
    async check(block: Uint8Array): Promise<FromThread> {
      if (failed) throw failed
      const answer = Promise.withResolvers<FromThread>()
      asked.push(answer)
      tell({ block })
      return answer.promise
    },
    end: () => worker.terminate(),
  }
}
