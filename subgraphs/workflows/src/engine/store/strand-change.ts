import type { NewEvent } from '@tutti/schema'

/** A new task row of the change's run. What is absent (JSON leaves `undefined` out) is null, 0 or false. */
export interface TaskRow {
  id: string
  path: string
  node: string
  kind: string
  status: string
  input: Readonly<Record<string, unknown>>
  generation?: number | undefined
  agent?: string | undefined
  agent_id?: string | undefined
  agent_version?: number | undefined
  attempt?: number | undefined
  timeout_ms?: number | undefined
  parent?: string | undefined
  position?: number | undefined
  arrival?: unknown
  output?: unknown
  error?: unknown
  approval?: string | undefined
  cost?: number | undefined
  assignment?: unknown
  recovery?: unknown
}

/** A new strand row; its run is the change's unless `run` names a sub-run. */
export interface StrandRow {
  id: string
  run?: string | undefined
  workflow: string
  parent?: string | undefined
  parent_task?: string | undefined
  compound?: string | undefined
  key?: string | undefined
  position?: number | undefined
  path?: string | undefined
  state?: Readonly<Record<string, unknown>> | undefined
  task?: string | undefined
  agent?: string | undefined
  status: 'ready' | 'running' | 'waiting' | 'held'
  /** When it is due, ISO 8601, or milliseconds from now; both absent: only something from outside goes on. */
  due_at?: string | undefined
  due_ms?: number | undefined
  claim?: string | undefined
  resume?: unknown
  wait?: string | undefined
  pending?: number | undefined
  needed?: number | undefined
  fast?: boolean | undefined
  width?: number | undefined
  limit_key?: string | undefined
  priority?: number | undefined
  /** Of the tasks it begins: one after a manual retry. */
  generation?: number | undefined
}

/** An event of the log, in the order it is to be written; in the history of the change's run. */
export interface EventRow {
  type: string
  subject: string
  data: unknown
}

/** A sub-run, started by a step. */
export interface RunRow {
  id: string
  workflow: string
  version: string
  input: Readonly<Record<string, unknown>>
  started_by: unknown
  priority: number
  depth: number
  parent_run: string
  parent_task: string
  parent_strand?: string | undefined
  /** The run that it is of is paused, and it with that. */
  paused?: boolean | undefined
}

/**
 * What one moment changes about one strand and around it. All of it is written, or, when the strand's fence or its run's
 * epoch has moved, none.
 */
export interface StrandChange {
  o: string
  id: string
  run: string
  fence: string
  epoch: number
  /** True: the strand is over. */
  gone?: boolean | undefined
  /** True: it stays this worker's, at its next task. */
  keep?: boolean | undefined
  status: StrandRow['status']
  due_at?: string | undefined
  due_ms?: number | undefined
  task?: string | undefined
  agent?: string | undefined
  /** Merged into its state. */
  patch?: Readonly<Record<string, unknown>> | undefined
  resume?: unknown
  wait?: string | undefined
  pending?: number | undefined
  needed?: number | undefined
  fast?: boolean | undefined
  width?: number | undefined
  recoveries?: number | undefined

  /** The task the event was about, if its row changes. */
  t_id?: string | undefined
  t_status?: string | undefined
  t_output?: unknown
  t_error?: unknown
  t_cost?: number | undefined
  t_arrival?: unknown
  t_approval?: string | undefined
  t_over?: boolean | undefined
  /** The next attempt is another agent's: its id and name, and why it. */
  t_agent?: { id: string; name: string; assignment?: unknown } | undefined
  /** The version of the agent that made the attempt. */
  t_version?: number | undefined
  /** What was done about the agent's failure: a list of one, for the task's. */
  t_recovery?: readonly unknown[] | undefined

  /** The run, if its row changes. */
  r_status?: string | undefined
  r_output?: unknown
  r_error?: unknown
  r_state?: unknown
  r_over?: boolean | undefined

  /** A child that is over: its parent, and whether it arrived well. */
  parent?: string | undefined
  ok?: boolean | undefined

  tasks?: TaskRow[] | undefined
  strands?: StrandRow[] | undefined
  runs?: RunRow[] | undefined
  events: EventRow[]
  /** Strands of other runs that this one wakes: the parent of a sub-run. */
  wakes?: { strand: string; resume: unknown }[] | undefined
}

/** An event as a row of a plan. */
export function eventRow({ type, subject, data }: NewEvent): EventRow {
  return { type, subject, data }
}
