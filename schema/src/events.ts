import { z } from 'zod'

const runRef = z.object({ runId: z.string(), workflowId: z.string(), workflowName: z.string() })
const taskRef = runRef.extend({
  taskId: z.string(),
  stepPath: z.string(),
  agentId: z.string().nullable(),
  attempt: z.number().int(),
})
const failure = z.object({ code: z.string(), message: z.string() })

/** Every event of the platform: type → payload. Reading this file shows all traffic. */
export const EVENTS = {
  'agent.registered': z.object({ agentId: z.string(), name: z.string(), version: z.string() }),
  'agent.retired': z.object({ agentId: z.string(), name: z.string() }),
  'workflow.applied': z.object({ workflowId: z.string(), name: z.string(), version: z.number().int() }),
  'run.started': runRef,
  'run.waiting': runRef,
  'run.completed': runRef.extend({ fallback: z.boolean() }),
  'run.failed': runRef.extend({ error: failure }),
  'run.cancelled': runRef,
  'task.ready': taskRef,
  'task.started': taskRef,
  'task.waiting': taskRef.extend({ approvalId: z.string().nullable() }),
  'task.completed': taskRef,
  'task.retrying': taskRef.extend({ error: failure, readyAt: z.string() }),
  'task.failed': taskRef.extend({ error: failure }),
  'task.cancelled': taskRef,
  'approval.requested': z.object({
    approvalId: z.string(),
    runId: z.string().nullable(),
    taskId: z.string().nullable(),
    digest: z.string(),
  }),
  'approval.decided': z.object({
    approvalId: z.string(),
    runId: z.string().nullable(),
    taskId: z.string().nullable(),
    decision: z.enum(['approved', 'rejected']),
    decidedBy: z.string(),
  }),
  'approval.expired': z.object({
    approvalId: z.string(),
    runId: z.string().nullable(),
    taskId: z.string().nullable(),
    decision: z.literal('expired'),
  }),
  'escalation.opened': z.object({
    escalationId: z.string(),
    level: z.string(),
    runId: z.string().nullable(),
    taskId: z.string().nullable(),
  }),
  'escalation.acknowledged': z.object({ escalationId: z.string() }),
  'escalation.resolved': z.object({ escalationId: z.string(), resolution: z.string() }),
  'incident.opened': z.object({ incidentId: z.string(), severity: z.string(), title: z.string() }),
  'incident.acknowledged': z.object({ incidentId: z.string(), severity: z.string() }),
  'incident.resolved': z.object({ incidentId: z.string(), severity: z.string() }),
  'quality.assessed': z.object({
    assessmentId: z.string(),
    taskId: z.string().nullable(),
    runId: z.string().nullable(),
    overallScore: z.number(),
    belowMinimum: z.boolean(),
  }),
  'anomaly.detected': z.object({
    anomalyId: z.string(),
    type: z.string(),
    severity: z.enum(['warning', 'high', 'critical']),
    scope: z.string(),
    workflowId: z.string().nullable(),
    value: z.number(),
    threshold: z.number(),
    description: z.string(),
  }),
  'knowledge.published': z.object({ articleId: z.string(), title: z.string() }),
  'credential.revoked': z.object({ credentialId: z.string() }),
} as const satisfies Record<string, z.ZodType>

export type EventType = keyof typeof EVENTS
export type EventData<T extends EventType> = z.infer<(typeof EVENTS)[T]>

/** What is stored and delivered; CloudEvents attributes by our names (`source` is the organization). */
export interface EventRecord<T extends EventType = EventType> {
  organizationId: string
  /** Position in the log; also the client's cursor, see {@link cursorOf}. */
  seq: bigint
  id: string
  type: T
  /** What it is about, as `task/<id>`. */
  subject: string
  actor: { id: string; kind: string; name: string }
  data: EventData<T>
  time: Date
}

/** An event as an operation hands it over; the log adds the rest. */
export type NewEvent = {
  [T in EventType]: { type: T; subject: string; data: EventData<T> }
}[EventType]

/** The opaque cursor of a position: fixed width, so that cursors compare as strings. */
export function cursorOf(seq: bigint): string {
  return seq.toString(36).padStart(13, '0')
}

/** The position of a cursor, or null when it is not one of ours. */
export function seqOf(cursor: string): bigint | null {
  if (!/^[0-9a-z]{13}$/.test(cursor)) return null
  let seq = 0n
  for (const digit of cursor) seq = seq * 36n + BigInt(Number.parseInt(digit, 36))
  return seq <= 9223372036854775807n ? seq : null
}
