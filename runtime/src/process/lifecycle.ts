import type { Log } from './create-log.ts'

export type Phase = 'starting' | 'ready' | 'draining' | 'stopped'

/** Start, ready, drain, stop: what was started last stops first. */
export interface Lifecycle {
  readonly phase: Phase
  /** Something to end at stop, in reverse order of adding. Returns it, so that it can wrap an expression. */
  own<T extends AsyncDisposable>(resource: T): T
  onStop(stop: () => unknown): void
  ready(): void
  /** Ends everything, once; resolves when all has ended. An error in one does not keep the others. */
  stop(): Promise<void>
}

/** A lifecycle without signals; tests and embedders use it as it is. */
export function createLifecycle(log: Log): Lifecycle {
  const stops: (() => unknown)[] = []
  let phase: Phase = 'starting'
  let stopping: Promise<void> | undefined
  const stopAll = async (): Promise<void> => {
    phase = 'draining'
    for (const stop of stops.reverse()) {
      try {
        await stop()
      } catch (error) {
        log.error({ err: error }, 'a part did not stop cleanly')
      }
    }
    phase = 'stopped'
  }
  return {
    get phase() {
      return phase
    },
    own(resource) {
      stops.push(() => resource[Symbol.asyncDispose]())
      return resource
    },
    onStop: (stop) => void stops.push(stop),
    ready() {
      if (phase === 'starting') phase = 'ready'
    },
    stop: () => (stopping ??= stopAll()),
  }
}

const STOP_LIMIT_MS = 15_000

/**
 * Runs a process: `start` builds it; SIGTERM, SIGINT or the loss of a supervising parent drains it. Tells a parent
 * over IPC when it is ready. Exits 1 when the start fails, with one line for a known mistake.
 */
export function runProcess(
  log: Log,
  start: (lifecycle: Lifecycle) => Promise<Record<string, unknown> | void>,
): void {
  const lifecycle = createLifecycle(log)
  const end = (reason: string): void => {
    log.debug({ reason }, 'stopping')
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref()
    void lifecycle.stop().then(() => process.exit(0))
  }
  process.once('SIGTERM', () => end('SIGTERM'))
  process.once('SIGINT', () => end('SIGINT'))
  process.once('disconnect', () => end('parent gone'))
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  start(lifecycle).then(
    (details) => {
      lifecycle.ready()
      process.send?.({ type: 'ready', ...details })
    },
    (error: unknown) => {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      process.send?.({
        type: 'failed',
        code,
        message: error instanceof Error ? error.message : String(error),
      })
      log.fatal({ err: error }, 'could not start')
      void lifecycle.stop().then(() => process.exit(1))
    },
  )
}
