import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createProgressReporter } from './progress-reporter.ts'
import type { ProgressAnswer, ProgressReport } from './report-progress.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function watch(send: (progress: ProgressReport) => Promise<ProgressAnswer> = async () => 'kept') {
  const sent: unknown[] = []
  const errors: unknown[] = []
  const reporter = createProgressReporter({
    send: async (progress) => {
      sent.push(progress.percent)
      return send(progress)
    },
    onError: (error) => errors.push(error),
    onStale: () => sent.push('stale'),
  })
  return { reporter, sent, errors }
}

test('the first report goes at once, then the newest of each second, and the last at the end', async () => {
  const { reporter, sent } = watch()
  for (let percent = 0; percent <= 50; percent++) reporter.report({ percent })
  await vi.advanceTimersByTimeAsync(10)
  expect(sent).toEqual([0])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(sent).toEqual([0, 50])
  for (let percent = 51; percent <= 100; percent++) reporter.report({ percent })
  await reporter[Symbol.asyncDispose]()
  expect(sent).toEqual([0, 50, 100])
})

test('nothing is sent when nothing new was reported, nor after the end', async () => {
  const { reporter, sent } = watch()
  reporter.report({ percent: 1 })
  await vi.advanceTimersByTimeAsync(60_000)
  await reporter[Symbol.asyncDispose]()
  reporter.report({ percent: 2 })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(sent).toEqual([1])
})

test('who has lost the task is told once and sends no more', async () => {
  const { reporter, sent } = watch(async () => 'stale')
  reporter.report({ percent: 1 })
  await vi.advanceTimersByTimeAsync(10)
  reporter.report({ percent: 2 })
  await vi.advanceTimersByTimeAsync(5_000)
  await reporter[Symbol.asyncDispose]()
  expect(sent).toEqual([1, 'stale'])
})

test('a report that could not be kept does not stop the next', async () => {
  const { reporter, sent, errors } = watch(async ({ percent }) => {
    if (percent === 1) throw new Error('no database')
    return 'kept'
  })
  reporter.report({ percent: 1 })
  await vi.advanceTimersByTimeAsync(10)
  reporter.report({ percent: 2 })
  await vi.advanceTimersByTimeAsync(1_000)
  await reporter[Symbol.asyncDispose]()
  expect(sent).toEqual([1, 2])
  expect(errors).toHaveLength(1)
})

test('what came before the beginning was written is said again, unless there is something newer', async () => {
  let isWritten = false
  const { reporter, sent } = watch(async () => (isWritten ? 'kept' : 'early'))
  reporter.report({ percent: 1 })
  await vi.advanceTimersByTimeAsync(10)
  isWritten = true
  await vi.advanceTimersByTimeAsync(5_000)
  expect(sent).toEqual([1, 1])
  isWritten = false
  reporter.report({ percent: 2 })
  await vi.advanceTimersByTimeAsync(10)
  reporter.report({ percent: 3 })
  isWritten = true
  await vi.advanceTimersByTimeAsync(5_000)
  await reporter[Symbol.asyncDispose]()
  expect(sent).toEqual([1, 1, 2, 3])
})
