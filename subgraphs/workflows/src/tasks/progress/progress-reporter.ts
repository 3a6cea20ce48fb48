import type { ProgressAnswer, ProgressReport } from './report-progress.ts'

const EVERY_MS = 1_000

/** What a step reports through while it works, as often as it likes. */
export interface ProgressReporter extends AsyncDisposable {
  /** Replaces what was reported before and not sent yet. Never throws, waits for nothing. */
  report(progress: ProgressReport): void
}

export interface ProgressReporterOptions {
  /** Keeps a report. */
  send: (progress: ProgressReport) => Promise<ProgressAnswer>
  /** A report could not be kept. The step goes on. */
  onError: (error: unknown) => void
  /** The task is another's by now; nothing is sent any more. */
  onStale?: () => void
}

/**
 * Sends the first report at once and of the later ones the newest, at most one a second and one at a time: a step that
 * reports a thousand times a second costs one statement. Its end sends the last report, and waits for it.
 */
export function createProgressReporter({
  send,
  onError,
  onStale,
}: ProgressReporterOptions): ProgressReporter {
  let next: ProgressReport | undefined
  let sending: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let over = false

  async function sendNext(): Promise<void> {
    const progress = next
    next = undefined
    if (!progress) return
    try {
      const answer = await send(progress)
      if (answer === 'early') next ??= progress
      if (answer !== 'stale') return
      over = true
      onStale?.()
    } catch (error) {
      onError(error)
    }
  }

  function begin(): void {
    if (over || sending || timer || !next) return
    sending = sendNext().finally(() => {
      sending = undefined
      if (over) return
      timer = setTimeout(() => {
        timer = undefined
        begin()
      }, EVERY_MS)
    })
  }

  return {
    report(progress) {
      if (over) return
      next = progress
      begin()
    },
    async [Symbol.asyncDispose]() {
      await sending
      clearTimeout(timer)
      if (!over) await sendNext()
      over = true
    },
  }
}
