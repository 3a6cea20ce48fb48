import type { Governed } from '../../definitions/index.ts'
import type { HeldStrand } from '../store/held-strand.ts'

/** A task under a lease, as executors see it. */
export interface ClaimedTask {
  organizationId: string
  id: string
  runId: string
  stepPath: string
  nodeId: string
  /** `agent`, or `message`: a message to be sent, with `$message` in the input. */
  kind: string
  /** Grows with a manual retry; part of the idempotency key. */
  generation: number
  agentId: string | null
  agentName: string | null
  attempt: number
  timeoutMs: number
  input: Record<string, unknown>
  workflowId: string
  workflowName: string
  /** Of its strand; with the fence it proves that the attempt is the present one. */
  strandId: string
  fence: bigint
  /** True while its beginning is not written: that raises the fence by one. */
  begins?: boolean
  /** True when an earlier worker was lost at this attempt. */
  recovered?: boolean
  /** What its step does in the words of authority and policies. */
  governs?: Governed
  /** True when an agent planned its step. */
  isPlanned?: boolean
  /** Said by the executor once it has read its agent: the version by which this attempt is made. */
  agentVersion?: number
}

/** The task of a strand that was claimed for it; undefined when the strand is the core's business alone. */
export function claimedTaskOf({
  id,
  fence,
  run,
  task,
  resume,
  recoveries,
}: HeldStrand): ClaimedTask | undefined {
  if (!task || resume || (task.kind !== 'agent' && task.kind !== 'message')) return undefined
  return {
    organizationId: run.organizationId,
    id: task.id,
    runId: run.id,
    stepPath: task.path,
    nodeId: task.nodeId,
    kind: task.kind,
    generation: task.generation,
    agentId: task.agentId,
    agentName: task.agentName,
    attempt: task.attempt,
    timeoutMs: task.timeoutMs,
    input: task.input,
    workflowId: run.workflowId,
    workflowName: run.workflowName,
    strandId: id,
    fence,
    ...(recoveries > 0 ? { recovered: true } : {}),
  }
}
