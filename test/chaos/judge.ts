import { idempotencyKey } from '@tutti/workflows/domain'
import { percentile } from '../bench/bench.ts'
import type { Claim, Evidence, RecordedRun, RecordedTask } from './evidence.ts'
import { type EndedRun, SHAPES } from './shapes.ts'

/** One number of the report. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The invariant; absent: it is told for the reader's sake. */
  readonly most?: number
  readonly least?: number
  /** What broke it, for people. */
  readonly details?: readonly string[]
}

/** What was promised of recovery, in seconds. */
export const RECOVERY_P95_S = 10

/** False when an invariant is broken. Not a number breaks every one. */
export function holds({ value, most, least }: Figure): boolean {
  return (most === undefined || value <= most) && (least === undefined || value >= least)
}

/** All invariants, and figures that say whether they were tried. */
export function judge(evidence: Evidence): Figure[] {
  const { accepted, tasks, calls, strands, kills, claims, retries } = evidence
  const unended = findUnended(evidence)
  const wrong = findWrongEnds(evidence)
  const uneven = findUneven(evidence)
  const stale = findStaleWrites(evidence)
  const effects = effectsOf(evidence)
  const recoveries = recoveriesOf(evidence)
  const seconds = (p: number, of: 'net' | 'gross'): number =>
    percentile(
      recoveries.map((recovery) => recovery[of] / 1_000),
      p,
    )
  const own = evidence.runs.filter(({ parent }) => parent === null).length
  const recorded = new Set(tasks.map(({ call }) => call))
  const distinct = new Set(calls.map(({ runId, path, attempt }) => `${runId} ${path} ${attempt}`)).size
  return [
    { name: 'accepted runs', value: accepted.length, unit: 'runs' },
    broken('accepted runs not ended', 'runs', unended),
    broken('runs ended otherwise than they must', 'runs', wrong),
    { name: 'runs beside those accepted', value: own - accepted.length, unit: 'runs', most: 0, least: 0 },
    { name: 'tasks', value: tasks.length, unit: 'tasks' },
    broken('tasks with other than one completion event', 'tasks', uneven),
    broken('stale writes accepted', 'writes', stale),
    { name: 'leases lost', value: claims.filter(({ lost }) => lost).length, unit: 'leases', least: 1 },
    { name: 'calls', value: calls.length, unit: 'calls' },
    { name: 'calls repeated', value: calls.length - distinct, unit: 'calls', least: 1 },
    {
      name: 'results that came too late',
      value: calls.filter(({ done, number }) => done && !recorded.has(number)).length,
      unit: 'results',
    },
    { name: 'effects', value: effects.count, unit: 'effects' },
    { name: 'distinct keys per effect', value: effects.mostKeys, unit: 'keys', most: 1, least: 1 },
    broken('keys of something else', 'keys', effects.strange),
    broken(
      'calls with a wrong signature',
      'calls',
      calls.filter(({ signed }) => !signed).map(({ path }) => path),
    ),
    { name: 'strands left', value: strands, unit: 'strands', most: 0 },
    {
      name: 'attempts lost to the platform',
      value: retries.filter(isOfThePlatform).length,
      unit: 'attempts',
    },
    {
      name: 'kills that hit work',
      value: recoveries.length,
      unit: 'kills',
      ...(kills.length > 0 ? { least: 1 } : {}),
    },
    { name: 'recovery p50', value: seconds(0.5, 'net'), unit: 's' },
    { name: 'recovery p95', value: seconds(0.95, 'net'), unit: 's', most: RECOVERY_P95_S },
    { name: 'recovery max', value: seconds(1, 'net'), unit: 's' },
    { name: 'recovery p95 with the time PostgreSQL was away', value: seconds(0.95, 'gross'), unit: 's' },
  ]
}

const broken = (name: string, unit: string, details: readonly string[]): Figure => ({
  name,
  value: details.length,
  unit,
  most: 0,
  details,
})

/** Errors that no agent of ours answers with. */
const isOfThePlatform = (code: string): boolean => !['TROUBLED', 'AGENT_REFUSED', 'BROKEN'].includes(code)

const ENDED = new Set(['completed', 'failed', 'cancelled'])

function findUnended({ accepted, runs }: Evidence): string[] {
  const byId = new Map(runs.map((run) => [run.id, run]))
  const missing = accepted.flatMap(({ id, shape }) => (byId.has(id) ? [] : [`${shape} ${id} is not there`]))
  const shapes = new Map(accepted.map(({ id, shape }) => [id, shape]))
  const open = runs.flatMap(({ id, status }) =>
    ENDED.has(status) ? [] : [`${shapes.get(id) ?? 'sub-run'} ${id} is ${status}`],
  )
  return [...missing, ...open]
}

/** Ended runs that are not what their shape and the keys of their steps make of them. */
function findWrongEnds({ accepted, runs, tasks, ends }: Evidence): string[] {
  const byId = new Map(runs.map((run) => [run.id, run]))
  const byRun = Map.groupBy(tasks, ({ run }) => run)
  const completions = new Map(
    ends.flatMap(({ subject, type, seq }) => (type === 'task.completed' ? [[subject, seq] as const] : [])),
  )
  return accepted.flatMap(({ id, n, shape }) => {
    const run = byId.get(id)
    if (!run || !ENDED.has(run.status)) return []
    const faults = SHAPES[shape].faultsOf(endedRun(run, n, byRun.get(id) ?? [], completions))
    return faults.length === 0 ? [] : [`${shape} ${id} (${run.error ?? 'no error'}): ${faults.join('; ')}`]
  })
}

function endedRun(
  { id, organizationId, status, outputs }: RecordedRun,
  n: number,
  tasks: readonly RecordedTask[],
  completions: ReadonlyMap<string, number>,
): EndedRun {
  const orderOf = (task: RecordedTask): number => completions.get(`task/${task.id}`) ?? 0
  return {
    id,
    n,
    status,
    outputs: outputs ?? {},
    tasks: new Map(tasks.map(({ path, status, attempt }) => [path, { status, attempt }])),
    order: tasks
      .filter((task) => task.status === 'completed')
      .toSorted((a, b) => orderOf(a) - orderOf(b))
      .map(({ path }) => path),
    keyOf: (path) => idempotencyKey(organizationId, id, path, 0),
  }
}

/** Tasks without exactly one end in the log, or with another than their row says; runs likewise. */
function findUneven({ tasks, runs, ends }: Evidence): string[] {
  const bySubject = Map.groupBy(ends, ({ subject }) => subject)
  const check = (subject: string, status: string): string[] => {
    const types = (bySubject.get(subject) ?? []).map(({ type }) => type)
    const wanted = `${subject.split('/')[0]}.${status}`
    return types.length === 1 && types[0] === wanted
      ? []
      : [`${subject} is ${status}, the log says ${types.join(', ') || 'nothing'}`]
  }
  const rows = new Set([...tasks.map(({ id }) => `task/${id}`), ...runs.map(({ id }) => `run/${id}`)])
  return [
    // What stands for a branch without steps of its own has no events.
    ...tasks.flatMap(({ id, kind, status }) => (kind === 'item' ? [] : check(`task/${id}`, status))),
    ...runs.flatMap(({ id, status }) => check(`run/${id}`, status)),
    ...[...bySubject.keys()].flatMap((subject) =>
      rows.has(subject) ? [] : [`${subject} has an end and no row`],
    ),
  ]
}

/** Clocks of two processes agree to this, in milliseconds. */
const CLOCK_MS = 2

/**
 * Completions that came from somebody who did not hold the strand any more: written by another than the last to take it,
 * with the answer of a call made before it was last taken, or of a call that was made for something else.
 */
export function findStaleWrites({ tasks, claims, settlements, calls, runs }: Evidence): string[] {
  const byRun = Map.groupBy(claims, ({ run }) => run)
  const byTask = Map.groupBy(settlements, ({ task }) => task)
  const byNumber = new Map(calls.map((call) => [call.number, call]))
  const organizations = new Map(runs.map(({ id, organizationId }) => [id, organizationId]))
  return tasks.flatMap((task) => {
    if (task.kind !== 'agent' || task.status !== 'completed') return []
    const about = `${task.run} ${task.path}`
    const written = byTask.get(task.id) ?? []
    const [settlement, again] = written
    if (!settlement || again) return [`${about} was completed ${written.length} times`]
    const holder = holderAt(byRun.get(task.run) ?? [], task.path, settlement.at)
    if (!holder) return [`${about} was completed and never taken`]
    if (holder.who !== settlement.who)
      return [`${about} was completed by ${settlement.who} while ${holder.who} held it`]
    const call = task.call === null ? undefined : byNumber.get(task.call)
    const key = idempotencyKey(organizations.get(task.run) ?? '', task.run, task.path, task.generation)
    if (!call || call.key !== key) return [`${about} has the answer of another call`]
    if (call.at < holder.at - CLOCK_MS)
      return [`${about} has the answer of call ${call.number}, made before ${holder.who} took it`]
    return []
  })
}

/** The last claim, by that time, of the strand that a path belongs to: the one with the longest beginning of it. */
function holderAt(claims: readonly Claim[], path: string, at: number): Claim | undefined {
  let holder: Claim | undefined
  for (const claim of claims) {
    if (claim.at > at || !path.startsWith(claim.path)) continue
    if (!holder || claim.path.length > holder.path.length) holder = claim
    else if (claim.path.length === holder.path.length && claim.seq > holder.seq) holder = claim
  }
  return holder
}

interface Effects {
  count: number
  /** The most keys any one effect was asked for with. */
  mostKeys: number
  strange: string[]
}

/** What the agents were asked for, by run and step path (nobody raises generations here), with the keys they saw. */
function effectsOf({ calls, runs }: Evidence): Effects {
  const organizations = new Map(runs.map(({ id, organizationId }) => [id, organizationId]))
  const keys = new Map<string, Set<string>>()
  const strange: string[] = []
  for (const { runId, path, key } of calls) {
    const effect = `${runId} ${path}`
    keys.set(effect, (keys.get(effect) ?? new Set()).add(key))
    if (key !== idempotencyKey(organizations.get(runId) ?? '', runId, path, 0))
      strange.push(`${effect}: ${key}`)
  }
  return { count: keys.size, mostKeys: Math.max(...[...keys.values()].map(({ size }) => size)), strange }
}

/** Milliseconds; net of the time in which PostgreSQL did not answer and nobody could have gone on. */
export interface Recovery {
  readonly gross: number
  readonly net: number
}

/** For every kill that hit a task: the time until the first `task.started` of a task taken over from the killed worker. */
export function recoveriesOf({ kills, claims, starts, outages }: Evidence): Recovery[] {
  const before = new Map<string, Claim>()
  const taken = new Map<string, Set<string>>()
  for (const claim of claims) {
    const last = before.get(claim.strand)
    if (last && claim.lost && claim.task !== null)
      taken.set(last.who, (taken.get(last.who) ?? new Set()).add(claim.task))
    before.set(claim.strand, claim)
  }
  return kills.flatMap(({ who, at }) => {
    const restarts = [...(taken.get(who) ?? [])].flatMap((task) => starts.get(task) ?? [])
    const first = Math.min(...restarts.filter((start) => start > at))
    if (!Number.isFinite(first)) return []
    const away = outages.map(({ from, to }) => Math.max(0, Math.min(to, first) - Math.max(from, at)))
    const gross = first - at
    return [{ gross, net: gross - away.reduce((sum, each) => sum + each, 0) }]
  })
}
