import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { lastWords } from '../last-words.ts'
import { StartError } from '../start-error.ts'
import { readMessage, type SupervisionMessage } from './supervised.ts'

/** One process to keep alive. */
export interface ChildSpec {
  /** Unique; also the name of its log file. */
  readonly name: string
  /** Absolute path of the module it runs. */
  readonly entry: string
  /** Added to our own environment; undefined takes a variable away. */
  readonly env?: Record<string, string | undefined>
  /** Flags for Node, such as memory limits. */
  readonly execArgv?: readonly string[]
  /** Environment that is known only later; sent when it is (`untilBegin` in the child waits for it). */
  readonly settings?: Promise<Record<string, string>>
  /** How to see that it answers, asked every 50 ms; without it the child says so itself (`runProcess`). */
  readonly answers?: () => Promise<boolean>
}

/** How a {@link Supervisor} does its work; durations in ms. */
export interface SuperviseOptions {
  /** Where the children's output goes: `<name>.log`. */
  readonly logDirectory: string
  /** One line for people at a time. */
  readonly log: (line: string) => void
  /** How long a child may drain after SIGTERM before it is killed. */
  readonly drain?: number
  /** Longest pause between two restarts. */
  readonly longestPause?: number
}

/** Children that run, are restarted when they die, and are stopped together. */
export interface Supervisor extends AsyncDisposable {
  /** Settles when every child has been ready once; rejects with CHILD_DID_NOT_START when one ended before that. */
  readonly ready: Promise<void>
  /** Process ids by name; a name is missing while its process is being restarted. */
  pids(): Record<string, number>
  /** Drains all of them: SIGTERM, and SIGKILL for those that do not end in time. */
  stop(): Promise<void>
  /** Ends all of them at once. */
  kill(): void
}

const LOG_LIMIT = 20 * 1024 * 1024
const PRELOAD = pathToFileURL(join(import.meta.dirname, 'child-process.ts')).href

/**
 * Starts the children, each in a session of its own: Ctrl-C in the terminal reaches us alone, and we decide the order in
 * which they end. One that dies after it was ready is started again: at once the first time, then with growing pauses.
 */
export function supervise(specs: readonly ChildSpec[], options: SuperviseOptions): Supervisor {
  mkdirSync(options.logDirectory, { recursive: true })
  const children = specs.map((spec) => keepAlive(spec, options))
  const ready = Promise.all(children.map((child) => child.ready)).then(() => {})
  ready.catch(() => {}) // a caller that stops us before it looked must not crash on it
  const stop = async () => {
    await Promise.all(children.map((child) => child.stop()))
  }
  return {
    ready,
    pids: () =>
      Object.fromEntries(
        children.flatMap(({ name, pid }) => (pid() === undefined ? [] : [[name, pid() ?? 0]])),
      ),
    stop,
    kill: () => children.forEach((child) => child.kill()),
    [Symbol.asyncDispose]: stop,
  }
}

interface KeptAlive {
  readonly name: string
  readonly ready: Promise<void>
  pid(): number | undefined
  stop(): Promise<void>
  kill(): void
}

function keepAlive(spec: ChildSpec, options: SuperviseOptions): KeptAlive {
  const { log, drain = 10_000, longestPause = 10_000 } = options
  const stopping = new AbortController()
  let running: ChildProcess | undefined
  let wasReady = false

  const first = Promise.withResolvers<void>()
  const loop = (async () => {
    let deaths = 0
    while (!stopping.signal.aborted) {
      const logFile = openLog(options.logDirectory, spec.name)
      const born = performance.now()
      const child = launch(spec, logFile.fd)
      running = child
      const ended = whenEnded(child)
      const reason: string[] = []
      child.on('message', (message) => {
        const read = readMessage(message)
        if (read?.type === 'failed') reason.push(read.message)
      })
      void whenReady(spec, child, ended).then((ready) => {
        if (!ready) return
        if (wasReady && !stopping.signal.aborted) log(`${spec.name} is back (process ${child.pid})`)
        wasReady = true
        first.resolve()
      })
      const how = await ended
      running = undefined
      if (stopping.signal.aborted) break
      if (!wasReady) {
        const said =
          reason.length > 0
            ? reason
            : [lastWords(readFileSync(logFile.path).subarray(logFile.start).toString())]
        const message = `The ${spec.name} process ended before it was ready (${how}; log: ${logFile.path}).`
        first.reject(new StartError('CHILD_DID_NOT_START', [message, ...said].join('\n')))
        break
      }
      // A minute of peace forgives what was before. The pauses grow slowly at first: a worker that was killed five times
      // in a row must still be back before its tasks' leases end (5 s).
      deaths = performance.now() - born > 60_000 ? 0 : deaths + 1
      const pause = deaths <= 1 ? 0 : Math.min(longestPause, 25 * 2 ** deaths)
      log(`${spec.name} died (${how}): starting it again${pause > 0 ? ` in ${pause / 1000} s` : ''}`)
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => {})
    }
  })()
  loop.catch((error: unknown) => first.reject(error))

  return {
    name: spec.name,
    ready: first.promise,
    pid: () => running?.pid,
    kill: () => {
      stopping.abort()
      running?.kill('SIGKILL')
    },
    stop: async () => {
      stopping.abort()
      running?.kill('SIGTERM')
      const late = setTimeout(() => {
        log(`${spec.name} did not end within ${drain / 1000} s: killed`)
        running?.kill('SIGKILL')
      }, drain)
      await loop.catch(() => {})
      clearTimeout(late)
      first.reject(new Error('stopped')) // no effect once it was ready
    },
  }
}

function launch(spec: ChildSpec, output: number): ChildProcess {
  const child = fork(spec.entry, {
    detached: true,
    execArgv: ['--import', PRELOAD, ...(spec.execArgv ?? [])],
    env: { ...process.env, ...spec.env },
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  void spec.settings?.then(
    (settings) => {
      if (child.connected) child.send({ type: 'begin', settings } satisfies SupervisionMessage, () => {})
    },
    () => {}, // then the whole start has failed and we are stopped
  )
  return child
}

function whenEnded(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
}

async function whenReady(spec: ChildSpec, child: ChildProcess, ended: Promise<string>): Promise<boolean> {
  const over = ended.then(() => false)
  const { answers } = spec
  if (answers === undefined) {
    const said = new Promise<boolean>((resolve) => {
      child.on('message', (message) => {
        if (readMessage(message)?.type === 'ready') resolve(true)
      })
    })
    return Promise.race([said, over])
  }
  const asked = (async () => {
    while (child.exitCode === null && child.signalCode === null) {
      if (await answers().catch(() => false)) return true
      await sleep(50)
    }
    return false
  })()
  return Promise.race([asked, over])
}

function openLog(directory: string, name: string): { fd: number; path: string; start: number } {
  const path = join(directory, `${name}.log`)
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > LOG_LIMIT) renameSync(path, `${path}.1`)
  return { fd: openSync(path, 'a', 0o600), path, start: size > LOG_LIMIT ? 0 : size }
}
