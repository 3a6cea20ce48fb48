import type { Actor } from '@tutti/schema'

/** What was refused, as `Mutation.startRun`, and with which code. */
export interface Refusal {
  action: string
  code: string
}

/** Refusals of one caller that have no entry each. */
export interface DenialSum {
  /** When the first one was; ISO 8601. */
  since: string
  /** How many of which, the most first. */
  refusals: (Refusal & { count: number })[]
}

export interface SumSettings {
  /** Writes an entry; throws when it could not. */
  write(actor: Actor, sum: DenialSum): Promise<void>
  /** Told when a sum could not be written. */
  onFailed(error: unknown): void
  /** After how many milliseconds sums are written; 10,000 unless given. */
  everyMs?: number | undefined
  /** Callers that are counted at a time; 10,000 unless given. */
  mostCallers?: number | undefined
}

/** Counts refusals, and writes an entry of the audit trail for each caller's at the end of a window. */
export interface DenialSums {
  /** False: there are too many callers to count another one. */
  add(actor: Actor, refusal: Refusal): boolean
  /** Writes what was counted. What cannot be written stays, for the next time. */
  flush(): Promise<void>
  /** How many are counted and not written yet. */
  pending(): number
  /** Whether the last attempt to write some failed. */
  failing(): boolean
}

const EVERY_MS = 10_000
const MOST_CALLERS = 10_000
/** Different ones of a caller that are told apart in a sum. */
const MOST_KINDS = 100
const AT_ONCE = 10
const OTHERS = { action: 'others', code: 'others' }

type Kinds = Map<string, DenialSum['refusals'][number]>

interface Counted {
  actor: Actor
  since: string
  kinds: Kinds
}

/** Starts with nothing counted; a timer runs only while something is. */
export function sumDenials(settings: SumSettings): DenialSums {
  const { onFailed, everyMs = EVERY_MS, mostCallers = MOST_CALLERS } = settings
  const counted = new Map<string, Counted>()
  let pending = 0
  let failing = false
  let timer: NodeJS.Timeout | undefined
  let turn = Promise.resolve()

  /** The count of a caller; undefined when there is no room for another one. */
  function countOf(actor: Actor): Counted | undefined {
    const key = `${actor.organizationId}/${actor.id}`
    const known = counted.get(key)
    if (known !== undefined || counted.size >= mostCallers) return known
    const made: Counted = { actor, since: new Date().toISOString(), kinds: new Map() }
    counted.set(key, made)
    timer ??= setTimeout(() => void flush(), everyMs).unref()
    return made
  }

  function add(actor: Actor, refusal: Refusal): boolean {
    const mine = countOf(actor)
    if (!mine) return false
    count(mine.kinds, refusal, 1)
    pending += 1
    return true
  }

  async function write(sum: Counted): Promise<void> {
    const refusals = [...sum.kinds.values()].toSorted((a, b) => b.count - a.count)
    try {
      await settings.write(sum.actor, { since: sum.since, refusals })
      pending -= refusals.reduce((all, { count: some }) => all + some, 0)
    } catch (error) {
      failing = true
      onFailed(error)
      keep(sum)
    }
  }

  /** Puts back what could not be written, with what was counted meanwhile. */
  function keep({ actor, since, kinds }: Counted): void {
    const key = `${actor.organizationId}/${actor.id}`
    const newer = counted.get(key)?.kinds.values() ?? []
    for (const each of newer) count(kinds, each, each.count)
    counted.set(key, { actor, since, kinds })
    timer ??= setTimeout(() => void flush(), everyMs).unref()
  }

  async function writeAll(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const sums = [...counted.values()]
    counted.clear()
    failing = false
    for (let at = 0; at < sums.length; at += AT_ONCE)
      await Promise.all(sums.slice(at, at + AT_ONCE).map(write))
  }

  /** One after the other. */
  function flush(): Promise<void> {
    turn = turn.then(writeAll)
    return turn
  }

  return { add, flush, pending: () => pending, failing: () => failing }
}

/** Adds to one of these, or, where there are too many, to the others. */
function count(kinds: Kinds, { action, code }: Refusal, more: number): void {
  const key = `${code} ${action}`
  const known = kinds.get(key)
  if (known) known.count += more
  else if (kinds.size < MOST_KINDS || action === OTHERS.action) kinds.set(key, { action, code, count: more })
  else count(kinds, OTHERS, more)
}
