import { describeStartFailure } from './start-error.ts'

/** Something that comes up, shows a screen, and can be stopped or killed. */
export interface Foreground {
  readonly ready: Promise<string>
  stop(): Promise<void>
  kill(): void
}

/**
 * Runs it in this terminal until a signal: the first drains, a second one forces. Exit code 0 after a signal, 1 when it
 * did not come up (the reason is on standard error).
 */
export async function runInForeground(
  start: (log: (line: string) => void) => Promise<Foreground>,
): Promise<void> {
  dropEmptyVariables()
  const log = (line: string) => process.stdout.write(`  ${line}\n`)
  // The terminal may be gone before we are.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  let signalled: number | undefined
  try {
    const foreground = await start(log)
    const onSignal = () => {
      // npm passes on the signal that the terminal has sent to us already: only a later one means impatience.
      if (signalled !== undefined && performance.now() - signalled < 500) return
      if (signalled === undefined) {
        signalled = performance.now()
        log('stopping (once more to force)')
        void finish(foreground)
      } else {
        log('forcing')
        foreground.kill()
      }
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
    if (process.env['npm_lifecycle_event'] !== undefined) whenOrphaned(onSignal)
    await foreground.ready.then(
      (screen) => process.stdout.write(`${screen}\n`),
      async (error: unknown) => {
        if (signalled !== undefined) return // stopped while starting: nothing to complain about
        process.stderr.write(`\n${describeStartFailure(error)}\n`)
        await foreground.stop()
        process.exit(1)
      },
    )
  } catch (error) {
    process.stderr.write(`\n${describeStartFailure(error)}\n`)
    process.exit(1)
  }

  async function finish(foreground: Foreground): Promise<void> {
    try {
      await foreground.stop()
      log('stopped')
      process.exit(0)
    } catch (error) {
      process.stderr.write(`\n${describeStartFailure(error)}\n`)
      process.exit(1)
    }
  }
}

// npm passes SIGTERM on to the shell that it started us with, and some shells end without passing it on: then all that we
// see is another parent.
function whenOrphaned(then: () => void): void {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    then()
  }, 250)
  watch.unref()
}

// `NAME= npm start` means "not set", to us and to every process below.
function dropEmptyVariables(): void {
  for (const [name, value] of Object.entries(process.env)) if (value === '') delete process.env[name]
}
