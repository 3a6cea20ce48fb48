import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@tutti/standalone'
import { type Bench, median } from './bench.ts'

const ROOT = join(import.meta.dirname, '../..')
const QUERY = '{ agents(first: 1) { edges { node { id } } } }'
const PATIENCE = 60_000

/**
 * `npm start` as a newcomer types it: seconds to the first answered query, and the memory of everything it started. Case
 * `tutti` starts in an empty directory, `tutti:again` finds the data of the start before.
 */
export const bench: Bench = {
  name: 'start',
  async run(context) {
    const seen = { tutti: [] as Start[], 'tutti:again': [] as Start[] }
    for (let round = 0; round < (context.quick ? 1 : 3); round++) {
      const directory = mkdtempSync(join(tmpdir(), 'tutti-bench-start-'))
      chmodSync(directory, 0o711) // as root, PostgreSQL runs as another user, who has to pass
      try {
        seen.tutti.push(await measure(directory))
        seen['tutti:again'].push(await measure(directory))
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    }
    for (const [name, starts] of Object.entries(seen)) {
      context.report({
        case: name,
        metric: 'ready',
        value: median(starts.map((each) => each.ready)),
        unit: 's',
      })
      context.report({ case: name, metric: 'rss', value: median(starts.map((each) => each.rss)), unit: 'MB' })
    }
  },
}

/** One start: seconds to the first answer, and MB. */
interface Start {
  ready: number
  rss: number
}

async function measure(directory: string): Promise<Start> {
  const port = await freePort()
  const home = join(directory, '.tutti')
  const began = performance.now()
  const npm = spawn('npm', ['start'], {
    cwd: ROOT,
    env: {
      ...process.env,
      PORT: String(port),
      TUTTI_DIRECTORY: home,
      DATABASE_URL: '',
      REDIS_URL: '',
      TUTTI_SECRET: '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: string[] = []
  npm.stdout.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  npm.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  try {
    while (!(await answered(port, home))) {
      if (npm.exitCode !== null || performance.now() - began > PATIENCE) {
        throw new Error(`npm start did not come up:\n${said.join('')}`)
      }
      await sleep(20)
    }
    const ready = (performance.now() - began) / 1000
    return { ready, rss: await settledMemory(npm.pid ?? 0) }
  } finally {
    await stop(npm, home)
  }
}

async function answered(port: number, home: string): Promise<boolean> {
  try {
    const keys: unknown = JSON.parse(readFileSync(join(home, 'keys.json'), 'utf8'))
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${adminKey(keys)}` },
      body: JSON.stringify({ query: QUERY }),
    })
    const body: unknown = await response.json()
    return typeof body === 'object' && body !== null && 'data' in body && !('errors' in body)
  } catch {
    return false // not there yet
  }
}

function adminKey(keys: unknown): string {
  if (typeof keys !== 'object' || keys === null || !('admin' in keys))
    throw new Error('no key for an administrator')
  return String(keys.admin)
}

// The largest of a few looks: right after the first answer V8 has not cleaned up yet, and that memory counts too.
async function settledMemory(root: number): Promise<number> {
  let most = 0
  for (let look = 0; look < 6; look++) {
    most = Math.max(most, treeMemory(root))
    await sleep(500)
  }
  return most
}

/** Sum of PSS of a process and all its descendants, in MB. Pages that n processes share count 1/n in each. */
function treeMemory(root: number): number {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // it has just ended
    }
  }
  const belongs = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (pid === root || belongs(parents.get(pid)))
  return [...parents.keys()].filter(belongs).reduce((sum, pid) => sum + pss(pid), 0)
}

function pss(pid: number): number {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
    return Number(kilobytes ?? 0) / 1024
  } catch {
    return 0
  }
}

// npm may end before what it started: the lock is given back last.
async function stop(npm: ChildProcess, home: string): Promise<void> {
  if (npm.exitCode === null) {
    const ended = once(npm, 'exit')
    npm.kill('SIGTERM')
    await ended
  }
  const until = performance.now() + PATIENCE
  while (existsSync(join(home, 'lock')) && performance.now() < until) await sleep(20)
}
