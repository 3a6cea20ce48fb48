import type { RunRow } from '../runs/load-runs.ts'
import { errorOf, type PastEvent, type PastTask, type RunPast, textOf } from './run-past.ts'
import { stateAt, versionAt, visible } from './state-at.ts'
import type { DefinitionOf } from './teller.ts'
import { tasksAt } from './tasks-at.ts'

/** A run as it was, with its tasks of then. */
export interface RunThen extends RunRow {
  tasks: PastTask[]
}

/**
 * A run as it was at a moment, folded from its log and its rows; null when it was not there yet. At a moment after its
 * last event it is as it is now.
 */
export function runAt(past: RunPast, definitionOf: DefinitionOf, at: Date): RunThen | null {
  const { run, events } = past
  if (run.createdAt > at) return null
  const tasks = tasksAt(past.tasks, events, at)
  const seen = events.filter(({ time }) => time <= at)
  const end = endOf(seen)
  const isOver = end !== undefined
  // What the row says of its end is of the last one.
  const isLast = !events.some(({ type, time }) => type === 'run.retried' && time > at)
  return {
    ...run,
    versionId: versionAt(run.versionId, events, at),
    status: isOver ? END[end.type] : statusOf(seen, tasks),
    state: visible(stateAt(past, definitionOf, at)),
    output: end?.type === 'run.completed' ? run.output : null,
    error: isOver ? (isLast ? run.error : failureOf(end)) : null,
    costUsd: isOver && isLast ? run.costUsd : sumOf(tasks),
    endedAt: isOver ? ((isLast ? run.endedAt : null) ?? end.time) : null,
    tasks,
  }
}

const END = { 'run.completed': 'completed', 'run.failed': 'failed', 'run.cancelled': 'cancelled' } as const
type EndEvent = PastEvent & { type: keyof typeof END }
const isEnd = (event: PastEvent): event is EndEvent => Object.hasOwn(END, event.type)

/** The end that a run had come to; none when it went on after it, by a retry. */
function endOf(seen: readonly PastEvent[]): EndEvent | undefined {
  const last = seen.findLast((event) => isEnd(event) || event.type === 'run.retried')
  return last && isEnd(last) ? last : undefined
}

const HALTS = new Set<string>(['run.paused', 'run.resumed', 'run.cancelling'])

/** Where a run that is not over stands: paused, or as the present task of its main line says. */
function statusOf(seen: readonly PastEvent[], tasks: readonly PastTask[]): string {
  const halt = seen.findLast(({ type }) => HALTS.has(type))
  if (halt?.type === 'run.paused') return 'paused'
  if (!seen.some(({ type }) => type === 'run.started')) return 'queued'
  const present = tasks.findLast(({ parentId }) => parentId === null)
  // Whose branches or items are under way is running, whatever each of them waits for.
  const waits = present?.status === 'waiting' && present.kind !== 'parallel' && present.kind !== 'map'
  return waits ? 'waiting' : 'running'
}

function failureOf(end: EndEvent): RunRow['error'] {
  if (end.type === 'run.completed') return null
  if (end.type === 'run.failed') return errorOf(end)
  const code = end.data['terminated'] === true ? 'RUN_TERMINATED' : 'RUN_CANCELLED'
  return { code, message: textOf(end, 'reason') ?? 'Stopped on request.' }
}

/** Decimal texts, exact to a millionth of a dollar. */
function sumOf(tasks: readonly PastTask[]): string {
  const millionths = tasks.reduce((sum, { costUsd }) => sum + Math.round(Number(costUsd) * 1e6), 0)
  return (millionths / 1e6).toFixed(6)
}
