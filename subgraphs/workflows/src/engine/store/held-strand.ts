import type { CoreEvent, RunStatus, TaskStatus } from '../core/index.ts'

/** What a run keeps for good: read once, shared by everything a process does for it. */
export interface RunContext {
  organizationId: string
  id: string
  workflowId: string
  workflowName: string
  versionId: string
  input: Record<string, unknown>
  /** When it was started, ISO 8601: its strands' place in the queue. */
  createdAt: string
  priority: number
  depth: number
  /** Of a sub-run that somebody waits for. */
  parentStrandId: string | null
}

/** The present task of a strand. */
export interface HeldTask {
  id: string
  nodeId: string
  path: string
  kind: string
  status: TaskStatus
  generation: number
  attempt: number
  input: Record<string, unknown>
  timeoutMs: number
  agentId: string | null
  agentName: string | null
  /** When it was created, epoch milliseconds on the database's clock. */
  createdMs: number
}

/** A strand under this process's lease, with all that the core is shown of it. */
export interface HeldStrand {
  id: string
  /** Every change raises it: a write with an older one is refused. */
  fence: bigint
  /** The run's; an act of control raises it. */
  epoch: number
  runStatus: RunStatus
  run: RunContext
  /** What its run counts under, where its definition limits by key. */
  limitKey: string | null
  parentId: string | null
  parentTaskId: string | null
  compound: string | null
  key: string | null
  position: number | null
  path: string
  state: Readonly<Record<string, unknown>>
  outer: readonly Readonly<Record<string, unknown>>[]
  task: HeldTask | null
  /** What woke it, for the core; null: its task is to be done. */
  resume: CoreEvent | null
  /** Of the tasks it comes to; grows with a manual retry of the run. */
  generation: number
  /** Leases that ran out at this task. */
  recoveries: number
  /** An order to stop stands in its organization: nothing of it begins unseen. */
  ordered?: boolean
}
