import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** One life of a worker process. */
export interface WorkerLife {
  /** Its name at the database: place and number of life, as `chaos-1-4`. */
  readonly who: string
  readonly slot: number
}

/** A worker's end by SIGKILL. */
export interface Kill extends WorkerLife {
  /** Epoch milliseconds. */
  readonly at: number
}

/** Worker processes, each behind a proxy of its own; one that ends is started again at once. */
export interface WorkerFleet extends AsyncDisposable {
  readonly size: number
  /** Settles when each has been ready once. */
  readonly ready: Promise<void>
  /** The one at a place, or the next after it, that is ready and neither frozen nor stalled. */
  alive(slot: number): WorkerLife | undefined
  /** Undefined when it ended by itself meanwhile. */
  kill(life: WorkerLife): Kill | undefined
  /** SIGSTOP, and SIGCONT after so many milliseconds. False when it ended by itself meanwhile; so for the next. */
  freeze(life: WorkerLife, ms: number): boolean
  /** Nothing passes between it and PostgreSQL for so many milliseconds. */
  stall(life: WorkerLife, ms: number): boolean
  proxy(slot: number): TcpProxy
  /** Ends that nobody ordered. */
  readonly deaths: number
}

export interface FleetOptions {
  count: number
  /** As processes get it; the host is 127.0.0.1. */
  databaseUrl: string
  environment: Record<string, string>
  /** For `worker-0.log` ... */
  logDirectory: string
}

interface Place {
  process?: ChildProcess
  life: WorkerLife
  ready: boolean
  /** Frozen or stalled. */
  hampered: boolean
  killed: boolean
}

const ENTRY = fileURLToPath(import.meta.resolve('@tutti/workers/main'))
const RESTART_MS = 250
const DRAIN_MS = 10_000

/** Starts them. */
export async function startWorkerFleet(options: FleetOptions): Promise<WorkerFleet> {
  const { count, databaseUrl, environment, logDirectory } = options
  const proxies: TcpProxy[] = []
  for (let slot = 0; slot < count; slot++)
    proxies.push(await startTcpProxy(Number(new URL(databaseUrl).port)))
  const places = proxies.map((_, slot): Place => ({
    life: lifeOf(slot, 0),
    ready: false,
    hampered: false,
    killed: false,
  }))
  const timers = new Set<NodeJS.Timeout>()
  let stopping = false
  let deaths = 0

  const firsts = places.map(() => Promise.withResolvers<void>())
  const loops = places.map((place, slot) => keepAlive(place, slot))
  // Frozen ones hear no other signal; nobody must outlive the harness.
  const leave = (): void => {
    for (const { process: child } of places) child?.kill('SIGKILL')
  }
  process.once('exit', leave)

  async function keepAlive(place: Place, slot: number): Promise<void> {
    for (let number = 0; !stopping; number++) {
      place.life = lifeOf(slot, number)
      const child = launch(place.life)
      Object.assign(place, { process: child, ready: false, hampered: false, killed: false })
      child.on('message', (message) => {
        if (
          typeof message !== 'object' ||
          message === null ||
          !('type' in message) ||
          message.type !== 'ready'
        )
          return
        place.ready = true
        firsts[slot]?.resolve()
      })
      await new Promise<void>((resolve) => {
        child.once('error', () => resolve())
        child.once('exit', () => resolve())
      })
      place.ready = false
      if (stopping || place.killed) continue
      deaths++
      await pause(RESTART_MS)
    }
  }

  function launch({ who, slot }: WorkerLife): ChildProcess {
    const url = new URL(databaseUrl)
    url.port = String(proxies[slot]?.port)
    url.searchParams.set('application_name', who)
    const output = openSync(join(logDirectory, `worker-${slot}.log`), 'a', 0o600)
    const child = fork(ENTRY, {
      detached: true,
      env: { ...process.env, ...environment, DATABASE_URL: url.toString(), PORT: '' },
      stdio: ['ignore', output, output, 'ipc'],
    })
    closeSync(output)
    return child
  }

  function hamper(life: WorkerLife, ms: number, end: () => void): boolean {
    const place = placeOf(life)
    if (!place?.ready) return false
    place.hampered = true
    const timer = setTimeout(() => {
      timers.delete(timer)
      end()
      if (place.life === life) place.hampered = false
    }, ms)
    timers.add(timer)
    return true
  }

  const placeOf = ({ who }: WorkerLife): Place | undefined => places.find(({ life }) => life.who === who)

  return {
    size: count,
    ready: Promise.all(firsts.map(({ promise }) => promise)).then(() => undefined),
    alive(slot) {
      const turned = [...places.slice(slot), ...places.slice(0, slot)]
      return turned.find(({ ready, hampered }) => ready && !hampered)?.life
    },
    kill(life) {
      const place = placeOf(life)
      if (!place?.ready) return undefined
      place.ready = false
      place.killed = true
      place.process?.kill('SIGKILL')
      return { ...life, at: Date.now() }
    },
    freeze(life, ms) {
      const child = placeOf(life)?.process
      return hamper(life, ms, () => child?.kill('SIGCONT')) && child?.kill('SIGSTOP') === true
    },
    stall(life, ms) {
      return hamper(life, ms, () => undefined) && (proxies[life.slot]?.stall(ms) ?? 0) > 0
    },
    proxy(slot) {
      const proxy = proxies[slot]
      if (!proxy) throw new Error(`There is no worker ${slot}.`)
      return proxy
    },
    get deaths() {
      return deaths
    },
    async [Symbol.asyncDispose]() {
      stopping = true
      for (const timer of timers) clearTimeout(timer)
      for (const { process: child } of places) {
        child?.kill('SIGCONT')
        child?.kill('SIGTERM')
      }
      const late = setTimeout(leave, DRAIN_MS)
      await Promise.all(loops)
      clearTimeout(late)
      process.off('exit', leave)
      for (const proxy of proxies) await proxy[Symbol.asyncDispose]()
    },
  }
}

const lifeOf = (slot: number, number: number): WorkerLife => ({ who: `chaos-${slot}-${number}`, slot })
