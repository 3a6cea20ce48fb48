import type { EventType } from '@tutti/schema'
import type { Arrival } from '../engine/core/index.ts'
import type { RunRow } from '../runs/load-runs.ts'
import type { TaskRow } from '../tasks/load-tasks.ts'

/** An event of the run's log, as far as the past is told by it. */
export interface PastEvent {
  type: EventType
  time: Date
  data: Readonly<Record<string, unknown>>
}

/** A task of the run as it is now, with where it belongs. */
export interface PastTask extends TaskRow {
  nodeId: string
  kind: string
  /** The compound task whose branch or item it belongs to; null on the main line. */
  parentId: string | null
  position: number | null
  /** How its branch or item ended; on the last task of one. */
  arrival: Arrival | null
}

/** A run with everything that is known of its past: as it is now, its tasks in the order they began, its log in order. */
export interface RunPast {
  run: RunRow
  tasks: readonly PastTask[]
  events: readonly PastEvent[]
  /** Of a forked run. */
  origin?: RunOrigin
}

/** What the run that another was forked from was given, and the version it was on. */
export interface RunOrigin {
  input: Readonly<Record<string, unknown>>
  versionId: string
}

/** A text of an event's data; null when it has none of that name. */
export function textOf(event: PastEvent, name: string): string | null {
  const value = event.data[name]
  return typeof value === 'string' ? value : null
}

/** The failure that an event tells; null when it tells none. */
export function errorOf({ data }: PastEvent): { code: string; message: string } | null {
  const { error } = data
  if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error)) return null
  return { code: String(error.code), message: String(error.message) }
}
