import type { Arrival, CoreEvent, RunStatus, TaskStatus } from '../../core/index.ts'
import { isTaskOver, RUN_STATUSES, TASK_STATUSES } from '../../core/index.ts'
import { LEASE_SECONDS } from '../../store/lease-seconds.ts'
import type { StrandRow, TaskRow } from '../../store/strand-change.ts'
import { type Strand, type Tables, type Task, timestamp, moment } from '../tables.ts'

/** `TASK_VALUES`: a new task row of a change's run. */
export function taskOf(db: Tables, run: string, n: TaskRow): Task {
  const status = taskStatus(n.status)
  return {
    id: n.id,
    run_id: run,
    step_path: n.path,
    generation: n.generation ?? 0,
    node_id: n.node,
    kind: n.kind,
    agent_id: n.agent_id ?? null,
    agent_name: n.agent ?? null,
    status,
    attempt: n.attempt ?? 0,
    input: n.input,
    timeout_ms: n.timeout_ms ?? 0,
    parent_id: n.parent ?? null,
    position: n.position ?? null,
    arrival: arrivalOf(n.arrival),
    output: n.output ?? null,
    error: n.error ?? null,
    approval_id: n.approval ?? null,
    created_at: timestamp(db.clock()),
    ended_at: isTaskOver(status) ? timestamp(db.clock()) : null,
  }
}

/** `STRAND_VALUES`: a new strand row, of the change's run unless it names another. */
export function strandOf(db: Tables, run: string, n: StrandRow): Strand {
  return {
    id: n.id,
    run_id: n.run ?? run,
    workflow_id: n.workflow,
    limit_key: n.limit_key ?? null,
    parent_id: n.parent ?? null,
    parent_task_id: n.parent_task ?? null,
    compound: n.compound ?? null,
    key: n.key ?? null,
    position: n.position ?? null,
    path: n.path ?? '',
    state: n.state ?? {},
    task_id: n.task ?? null,
    agent_id: n.agent ?? null,
    status: n.status,
    due_at: n.status === 'running' ? leaseEnd(db) : dueAt(db, n),
    fence: n.claim === undefined ? 0n : 1n,
    claim_id: n.claim ?? null,
    recoveries: 0,
    resume: eventOf(n.resume),
    wait_key: n.wait ?? null,
    pending: n.pending ?? 0,
    needed: n.needed ?? 0,
    fail_fast: n.fast ?? false,
    width: n.width ?? null,
    priority: n.priority ?? 0,
    generation: n.generation ?? 0,
  }
}

/** `coalesce(x.due_at, clock_timestamp() + x.due_ms * interval '1 millisecond')` */
export function dueAt(
  db: Tables,
  { due_at, due_ms }: { due_at?: string | undefined; due_ms?: number | undefined },
): number | null {
  if (due_at !== undefined) return Date.parse(due_at)
  return due_ms === undefined ? null : moment(db.clock() + due_ms)
}

/** `clock_timestamp() + interval '5 seconds'` */
export const leaseEnd = (db: Tables): number => moment(db.clock() + LEASE_SECONDS * 1_000)

/** A status out of a change, which says it as a text. */
export function taskStatus(text: string | undefined): TaskStatus {
  const found = TASK_STATUSES.find((status) => status === text)
  if (!found) throw new Error(`No status of a task: ${text}`)
  return found
}

/** A status out of a change, which says it as a text. */
export function runStatus(text: string | undefined): RunStatus {
  const found = RUN_STATUSES.find((status) => status === text)
  if (!found) throw new Error(`No status of a run: ${text}`)
  return found
}

/** A word that wakes a strand, out of a JSON column. */
export function eventOf(value: unknown): CoreEvent | null {
  return isEvent(value) ? value : null
}

/** How a branch or item arrived, out of a JSON column. */
export function arrivalOf(value: unknown): Arrival | null {
  return isArrival(value) ? value : null
}

const isEvent = (value: unknown): value is CoreEvent =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

const isArrival = (value: unknown): value is Arrival =>
  typeof value === 'object' && value !== null && 'ok' in value
