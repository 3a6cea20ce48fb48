import { appendFileSync, chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  freePort,
  readEnvironment,
  standaloneEnvironment,
  standalonePlan,
  startTutti,
} from '@tutti/standalone'
import { agentSigningSecret } from '@tutti/agents/domain'
import pg from 'pg'
import { applyWorkflow, registerAgent } from '../flows/operations.ts'
import { httpAgentDocument } from '../flows/http-agent.ts'
import { type Caller, openCaller } from '../world/caller.ts'
import { type AgentSink, startAgentSink } from './agent-sink.ts'
import { AGENTS } from './behaviour.ts'
import { type AcceptedRun, gatherEvidence, type Outage } from './evidence.ts'
import { type Figure, holds, judge } from './judge.ts'
import { decideApprovals, sendSignal } from './people.ts'
import { type Backend, type ChaosAmount, type Fault, planChaos } from './plan-chaos.ts'
import { type RedisProcess, startRedisProcess } from './redis-process.ts'
import { documents, SHAPES, type ShapeName, workflowNameOf } from './shapes.ts'
import { countHeld, installWitness } from './witness.ts'
import { type Kill, startWorkerFleet, type WorkerFleet, type WorkerLife } from './worker-fleet.ts'

export interface ChaosOptions {
  backend: Backend
  seed: number
  amount: ChaosAmount
  /** One line for people at a time. */
  say: (line: string) => void
  /** Ends it early: everything that was started is stopped, and the answer is the signal's reason, thrown. */
  stop?: AbortSignal
}

export interface ChaosReport {
  figures: readonly Figure[]
  /** False when an invariant is broken: the directory with logs and database is kept. */
  sound: boolean
  directory: string
}

// As `npm start` has it: the fiftieth worker need not compile what the first one did.
const COMPILED = fileURLToPath(new URL('../../node_modules/.cache/tutti-compile', import.meta.url))
const SECRET = 'a-secret-for-chaos-only-of-48-characters-at-least'
const BATCH = 25
const MOST_WAIT_MS = 3_000
const MOST_START_MS = 60_000
const SIGNAL_MS = 50

/** A platform on a PostgreSQL of its own (fsync on), with the door as `npm start` has it and workers that can be hurt. */
interface Scene {
  directory: string
  as(role: 'operator' | 'approver'): Caller
  /** SQL as the owner, around the proxies. */
  owner: pg.Pool
  sink: AgentSink
  fleet: WorkerFleet
  redis: RedisProcess | undefined
}

/** Plays one seed on one backend, and judges what is left. Throws when the platform does not even start. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { backend, seed, amount, say, stop = new AbortController().signal } = options
  const begun = performance.now()
  process.env['NODE_COMPILE_CACHE'] ??= COMPILED
  const directory = mkdtempSync(join(tmpdir(), 'tutti-chaos-'))
  chmodSync(directory, 0o711) // as root, PostgreSQL runs as another user, who has to pass
  let sound = false
  await using stack = new AsyncDisposableStack()
  stack.defer(() => {
    if (sound) rmSync(directory, { recursive: true, force: true })
  })
  const scene = await setUp(options, directory, stack)
  say(`${backend}, seed ${seed}: ready after ${seconds(begun)}`)

  const plan = planChaos(seed, amount, backend)
  const accepted: AcceptedRun[] = []
  const kills: Kill[] = []
  const outages: Outage[] = []
  const over = new AbortController()
  const { signal } = over
  /** Runs that may have been started by now. */
  let allowed = 0

  async function startAll(): Promise<void> {
    const operator = scene.as('operator')
    while (accepted.length < plan.shapes.length && !signal.aborted) {
      const from = accepted.length
      const shapes = plan.shapes.slice(from, Math.min(allowed, from + BATCH))
      const ids = shapes.length > 0 ? await start(operator, from, shapes) : undefined
      if (!ids) {
        await pause(50)
        continue
      }
      for (const [index, shape] of shapes.entries()) {
        const run = { id: ids[index] ?? '', n: from + index, shape }
        accepted.push(run)
        if (shape === 'signal') people.push(sendSignal(operator, run, signal))
      }
    }
  }

  const people = [decideApprovals(scene.as('approver'), signal)]
  const starting = startAll()
  try {
    for (const [index, fault] of plan.faults.entries()) {
      // Runs begin all along the way, half of them right when something is about to happen to them.
      for (const part of [0.25, 0.5, 1]) {
        await pause(part < 1 ? fault.after / 2 : 0, undefined, { signal: stop })
        allowed = Math.ceil((plan.shapes.length * (index + part)) / plan.faults.length)
      }
      const life = await inject(scene, fault, { kills, outages })
      const at = new Date().toISOString()
      appendFileSync(join(directory, 'log/faults.log'), `${JSON.stringify({ at, ...fault, ...life })}\n`)
    }
    await starting
    say(`${backend}, seed ${seed}: all faults and runs are out after ${seconds(begun)}`)
    await untilEnded(scene.owner, amount.patience, stop)
  } finally {
    over.abort()
    await Promise.all([starting, ...people])
  }

  const evidence = await gatherEvidence(scene.owner, { accepted, calls: scene.sink.calls, kills, outages })
  const faults = [...Map.groupBy(plan.faults, ({ kind }) => kind)].map(([kind, { length }]): Figure => ({
    name: `fault: ${kind}`,
    value: length,
    unit: 'times',
  }))
  const figures: Figure[] = [
    ...judge(evidence),
    {
      name: 'late writes refused',
      value: countRefused(directory),
      unit: 'writes',
      ...(amount.stalls > 0 ? { least: 1 } : {}),
    },
    ...faults,
    { name: 'workers that ended unasked', value: scene.fleet.deaths, unit: 'times' },
    { name: 'time', value: (performance.now() - begun) / 1_000, unit: 's' },
  ]
  sound = figures.every(holds)
  return { figures, sound, directory }
}

/** What the workers say of writes that the database did not take. */
function countRefused(directory: string): number {
  const logs = readdirSync(join(directory, 'log')).filter((name) => name.startsWith('worker-'))
  const text = logs.map((name) => readFileSync(join(directory, 'log', name), 'utf8')).join('')
  return text.match(/"why":"[A-Z_]*REFUSED"/g)?.length ?? 0
}

async function setUp(
  { backend, amount, say }: ChaosOptions,
  directory: string,
  stack: AsyncDisposableStack,
): Promise<Scene> {
  const redis = backend === 'redis' ? stack.use(await startRedisProcess()) : undefined
  const port = await freePort()
  const queue: Record<string, string> = redis ? { REDIS_URL: redis.url } : {}
  const environment = readEnvironment(standaloneEnvironment, {
    PORT: String(port),
    TUTTI_DIRECTORY: directory,
    TUTTI_SECRET: SECRET,
    LOG_LEVEL: 'info',
    ...queue,
  })
  const plan = standalonePlan(environment)
  const tutti = startTutti(
    // The workers are ours: they go through proxies, and their lives are counted.
    { ...plan, processes: (given) => plan.processes(given).filter(({ name }) => name === 'door') },
    (line) => say(`  ${line}`),
  )
  stack.defer(() => tutti.stop())
  await tutti.ready

  const databaseUrl = readFileSync(join(directory, 'postgres.url'), 'utf8').trim()
  const owner = new pg.Pool({ connectionString: databaseUrl, max: 3 })
  owner.on('error', () => undefined) // the database is about to be ended many times
  stack.defer(() => owner.end())
  await installWitness(owner)

  const keys: Record<string, string> = JSON.parse(readFileSync(join(directory, 'keys.json'), 'utf8'))
  const callers = { operator: openDoor('operator'), approver: openDoor('approver') }
  function openDoor(role: string): Caller {
    const caller = openCaller(`http://127.0.0.1:${port}`, keys[role] ?? null)
    stack.defer(() => caller.close())
    return caller
  }

  const fleet = stack.use(
    await startWorkerFleet({
      count: amount.workers,
      databaseUrl,
      environment: { ...queue, TUTTI_SECRET: SECRET, TUTTI_ALLOW_LOCAL_AGENTS: 'true', LOG_LEVEL: 'info' },
      logDirectory: join(directory, 'log'),
    }),
  )
  const sink = stack.use(await startAgentSink())
  // The agents fail by their keys, and much more often than any that works: that opens no breaker here.
  await callers.operator.query(
    'mutation($input: SetReliabilityInput!) { setReliability(input: $input) { reliability { breaker { failures } } } }',
    { input: { breaker: { failures: 1_000, openSeconds: 1, maxOpenSeconds: 1 } } },
  )
  for (const agent of AGENTS) {
    const id = await registerAgent(callers.operator, httpAgentDocument(agent, sink.urlOf(agent)))
    sink.trust(agent, agentSigningSecret(SECRET, id))
  }
  for (const document of documents()) await applyWorkflow(callers.operator, document)

  await fleet.ready
  return { directory, as: (role) => callers[role], owner, sink, fleet, redis }
}

/** The ids of the runs, or undefined when nobody answered: asked again with the same keys, it starts none twice. */
async function start(
  operator: Caller,
  from: number,
  shapes: readonly ShapeName[],
): Promise<string[] | undefined> {
  const runs = shapes.map((shape, index) => ({
    workflowName: workflowNameOf(shape),
    input: SHAPES[shape].input(from + index),
    idempotencyKey: `run-${from + index}`,
  }))
  const answer = await operator
    .query<{ startRuns: { runs: { run: { id: string } }[] } }>(
      'mutation($input: StartRunsInput!) { startRuns(input: $input) { runs { run { id } } } }',
      { input: { runs } },
    )
    .catch(() => undefined)
  return answer?.startRuns.runs.map(({ run }) => run.id)
}

/** What was done, for the judgement. */
interface Done {
  kills: Kill[]
  outages: Outage[]
}

/** Does it, and answers with the worker it struck; one that cannot be done is an error. */
async function inject(scene: Scene, fault: Fault, { kills, outages }: Done): Promise<WorkerLife | undefined> {
  const { fleet, redis, directory, owner } = scene
  switch (fault.kind) {
    case 'kill':
      return strike(scene, fault, (life) => {
        const kill = fleet.kill(life)
        if (kill) kills.push(kill)
        return kill !== undefined
      })
    case 'freeze':
    case 'stall':
      return strike(scene, fault, (life) => fleet[fault.kind](life, fault.ms))
    case 'reset':
      return strike(scene, fault, ({ slot }) => fleet.proxy(slot).reset() > 0)
    case 'lost-reply':
      return strike(scene, fault, ({ slot }) => fleet.proxy(slot).loseReplies() > 0)
    case 'crash': {
      await untilAnswers(owner)
      const [pid] = readFileSync(join(directory, 'postgres/postmaster.pid'), 'utf8').split('\n')
      const from = Date.now()
      // Immediate: no checkpoint, no goodbye; the next start recovers from the log.
      process.kill(Number(pid), 'SIGQUIT')
      // It refuses connections as soon as it has the signal: an answer comes from its successor.
      await pause(SIGNAL_MS)
      await untilAnswers(owner)
      outages.push({ from, to: Date.now() })
      return undefined
    }
    case 'redis-kill':
      await redis?.kill()
      return undefined
    case 'flush':
      await redis?.flush()
      return undefined
  }
}

/**
 * Strikes a worker that has work, as soon as there is one; after a while any. Another must be alive: where one alone takes
 * up all that the dead have left, ending it again and again says nothing but that its start takes long.
 */
async function strike(
  { fleet, owner }: Scene,
  { kind, slot, later = 0 }: { kind: string; slot: number; later?: number },
  how: (life: WorkerLife) => boolean,
): Promise<WorkerLife> {
  const begun = performance.now()
  for (let waited = 0; waited < MOST_START_MS; waited = performance.now() - begun) {
    const life = fleet.alive(slot)
    if (life && fleet.alive((life.slot + 1) % fleet.size) !== life) {
      const held = await countHeld(owner, life.who).catch(() => 0)
      if (held > 0 || waited > MOST_WAIT_MS) {
        await pause(later)
        // It may have ended by itself meanwhile.
        if (how(life)) return life
      }
    }
    await pause(20)
  }
  throw new Error(`There was no worker for a ${kind} within ${MOST_START_MS / 1_000} s.`)
}

async function untilAnswers(owner: pg.Pool): Promise<void> {
  const until = performance.now() + 60_000
  while (performance.now() < until) {
    const answers = await owner.query('select 1').then(
      () => true,
      () => false,
    )
    if (answers) return
    await pause(100)
  }
  throw new Error('PostgreSQL does not come back.')
}

/** Waits until no run is open, or until patience is over: what is open then is told by the figures. */
async function untilEnded(owner: pg.Pool, patience: number, stop: AbortSignal): Promise<void> {
  const until = performance.now() + patience
  await untilAnswers(owner)
  for (;;) {
    const { rows } = await owner.query<{ open: number }>(
      `select count(*)::int as open from run where status not in ('completed', 'failed', 'cancelled')`,
    )
    if (rows[0]?.open === 0 || performance.now() > until) return
    await pause(250, undefined, { signal: stop })
  }
}

const seconds = (since: number): string => `${((performance.now() - since) / 1_000).toFixed(1)} s`
