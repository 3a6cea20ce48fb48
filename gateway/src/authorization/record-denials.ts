import type { Actor } from '@tutti/schema'
import { type FieldNode, type GraphQLError, Kind, visit } from 'graphql'

import { clientError } from '../errors/client-error.ts'
import type { Executor } from '../graph/execute-operation.ts'
import type { PreparedOperation } from '../graph/prepare-operation.ts'
import { type Admission, isAdmitted } from './admit.ts'
import { type DenialSum, sumDenials } from './sum-denials.ts'

/** What was refused, for the audit trail; as governance's `recordDenial` takes it. */
export interface Denial {
  /** As `Mutation.startRun`; the first refused field of the operation. */
  action: string
  /** As FORBIDDEN. */
  code: string
  /** Every refused field, and the scopes that would do. */
  reason: string
  /** What it stands for, when it is not one alone: `action` and `code` are those of the most then. */
  sum?: DenialSum
}

/** Writes a denial into the audit trail. When it fails, the call fails for that: nobody is refused without a record. */
export type RecordDenial = (actor: Actor, denial: Denial) => Promise<void>

export interface DenialSettings {
  recordDenial?: RecordDenial | undefined
  /** Told when one could not be written. */
  onFailed(error: unknown): void
  /** Denials of one actor that have an entry each in a second; 5 unless given. The others are summed. */
  perSecond?: number | undefined
  /** After how many milliseconds sums are written; 10,000 unless given. */
  sumEveryMs?: number | undefined
  /** Milliseconds; the clock unless given. */
  now?: (() => number) | undefined
}

export interface DenialRecorder {
  /** The same admission, whose refusals of known callers are written down before they are told. */
  around(admit: Admission): Admission
  /**
   * The same execution, of which refusals are written down that the door could not know: of fields that look themselves
   * at where their caller may. What else an operation refuses is its own to record.
   */
  aroundExecution(execute: Executor['execute']): Executor['execute']
  /** Writes one of another door down, as many as of others; false when it should have been written and could not be. */
  write(actor: Actor, denial: Denial): Promise<boolean>
  /** All; those that are in a sum; those of them whose sum is not written yet. */
  counts(): { denials: number; denialsSummed: number; denialsPending: number }
  /** Whether sums can be written. */
  healthy(): boolean
  /** When all is written that was denied so far. */
  settled(): Promise<void>
}

const PER_SECOND = 5
const MOST_ACTORS = 10_000
const MOST_UNDER_WAY = 100

/**
 * Keeps refusals in the audit trail without letting whoever is refused flood it: beyond some a second, an entry says how
 * many more there were. One that should be written and cannot be is told as UNAVAILABLE.
 */
export function createDenialRecorder(settings: DenialSettings): DenialRecorder {
  const { recordDenial, perSecond = PER_SECOND, now = () => performance.now() } = settings
  const windows = new Map<string, { since: number; written: number }>()
  const underWay = new Set<Promise<boolean>>()
  let denials = 0
  let denialsSummed = 0
  const sums =
    recordDenial &&
    sumDenials({
      write: (actor, sum) => recordDenial(actor, { ...mostOf(sum), reason: '', sum }),
      onFailed: settings.onFailed,
      everyMs: settings.sumEveryMs,
    })

  const mayWrite = (actor: Actor): boolean => {
    if (underWay.size >= MOST_UNDER_WAY) return false
    const key = `${actor.organizationId}/${actor.id}`
    const at = now()
    let window = windows.get(key)
    if (window === undefined || at - window.since >= 1_000) {
      if (windows.size >= MOST_ACTORS) windows.clear()
      window = { since: at, written: 0 }
      windows.set(key, window)
    }
    window.written += 1
    return window.written <= perSecond
  }

  /** False when it should have been written and could not be. */
  const write = async (actor: Actor, denial: Denial): Promise<boolean> => {
    if (recordDenial === undefined) return true
    denials += 1
    if (!mayWrite(actor)) {
      denialsSummed += 1
      return sums?.add(actor, denial) ?? true
    }
    const writing = Promise.try(recordDenial, actor, denial).then(
      () => true,
      (error: unknown) => {
        settings.onFailed(error)
        return false
      },
    )
    underWay.add(writing)
    const written = await writing
    underWay.delete(writing)
    return written
  }

  return {
    around: (admit) => async (operation, actor) => {
      const verdict = await admit(operation, actor)
      if (recordDenial === undefined || actor === null || isAdmitted(verdict)) return verdict
      return (await write(actor, denialOf(operation, verdict))) ? verdict : [clientError('UNAVAILABLE')]
    },
    aroundExecution: (execute) => async (admitted, options) => {
      const result = await execute(admitted, options)
      const { operation, actor } = admitted
      if (recordDenial === undefined || actor === null || result.errors === undefined) return result
      const bounded = new Set(
        operation.access.guarded.flatMap(({ bounded: is, path: [field] }) => (is ? [field] : [])),
      )
      const isRefusal = ({ path, extensions }: GraphQLError): boolean =>
        extensions['code'] === 'FORBIDDEN' && bounded.has(String(path?.[0]))
      const refusals = result.errors.filter(isRefusal)
      if (refusals.length === 0 || (await write(actor, denialOf(operation, refusals)))) return result
      const errors = result.errors.map((error) =>
        isRefusal(error) ? clientError('UNAVAILABLE', { path: [...(error.path ?? [])].map(String) }) : error,
      )
      return { ...result, errors }
    },
    write,
    counts: () => ({ denials, denialsSummed, denialsPending: sums?.pending() ?? 0 }),
    healthy: () => sums?.failing() !== true,
    async settled() {
      await Promise.allSettled([...underWay])
      await sums?.flush()
    },
  }
}

const mostOf = ({ refusals: [most] }: DenialSum): Pick<Denial, 'action' | 'code'> => ({
  action: most?.action ?? '',
  code: most?.code ?? '',
})

function denialOf(operation: PreparedOperation, errors: readonly GraphQLError[]): Denial {
  const names = fieldNames(operation)
  const fields = errors.map(({ path }) =>
    (path ?? []).map((step) => names.get(String(step)) ?? String(step)).join('.'),
  )
  const needed = new Set(
    errors.flatMap(({ extensions }) => {
      const scopes: unknown = extensions['requiredScopes']
      return Array.isArray(scopes) ? scopes.map(String) : []
    }),
  )
  const type = `${operation.kind[0]?.toUpperCase()}${operation.kind.slice(1)}`
  return {
    action: `${type}.${fields[0] ?? ''}`,
    code: String(errors[0]?.extensions['code'] ?? 'FORBIDDEN'),
    reason: `${fields.join(', ')}${needed.size > 0 ? ` needs ${[...needed].join(' or ')}` : ''}`,
  }
}

/** Errors name fields as the client called them; the trail wants the schema's names. */
function fieldNames(operation: PreparedOperation): Map<string, string> {
  const names = new Map<string, string>()
  visit(operation.document, {
    [Kind.FIELD](node: FieldNode) {
      if (node.alias !== undefined) names.set(node.alias.value, node.name.value)
    },
  })
  return names
}
