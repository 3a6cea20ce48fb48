import type { CompiledExpression } from '../definitions/index.ts'
import { compileExpression } from '../definitions/index.ts'

export const TRIGGER_KINDS = ['webhook', 'schedule', 'event'] as const
export type TriggerKind = (typeof TRIGGER_KINDS)[number]

export const MISSED_POLICIES = ['skip', 'once', 'all'] as const
export type MissedPolicyName = (typeof MISSED_POLICIES)[number]

/** A trigger as it is stored. */
export interface TriggerRow {
  organizationId: string
  id: string
  workflowId: string
  name: string
  kind: TriggerKind
  status: 'active' | 'paused'
  cron: string | null
  timeZone: string | null
  missed: MissedPolicyName | null
  catchUp: number | null
  jitterMs: number
  nextAt: Date | null
  eventType: string | null
  filter: string | null
  signingSecret: string | null
  /** Calls of a webhook that are taken in a minute; null: the platform's number. */
  maxPerMinute: number | null
  input: Record<string, unknown> | null
  expressions: Record<string, string> | null
  idempotencyKey: string | null
  /** Of its runs; null: the workflow's own. */
  priority: number | null
  activeFrom: Date
  createdAt: Date
  updatedAt: Date
}

/** Columns of a {@link TriggerRow}, of the table under the alias `t`. */
export const TRIGGER_COLUMNS = `t.organization_id as "organizationId", t.id, t.workflow_id as "workflowId", t.name, t.kind,
  t.status, t.cron, t.time_zone as "timeZone", t.missed, t.catch_up as "catchUp", t.jitter_ms as "jitterMs",
  t.next_at as "nextAt", t.event_type as "eventType", t.filter, t.signing_secret as "signingSecret",
  t.max_per_minute as "maxPerMinute", t.input,
  t.expressions, t.idempotency_key as "idempotencyKey", t.priority, t.active_from as "activeFrom",
  t.created_at as "createdAt", t.updated_at as "updatedAt"`

/** The name that the expressions of each kind read. */
export const FACT_OF: Record<TriggerKind, 'payload' | 'scheduledAt' | 'event'> = {
  webhook: 'payload',
  schedule: 'scheduledAt',
  event: 'event',
}

const compiled = new Map<string, CompiledExpression>()
const MOST = 5_000

/** An expression that was checked when it was stored, parsed once a process. One that a newer parser refuses only fails. */
export function storedExpression(text: string, want: 'boolean' | 'any' = 'any'): CompiledExpression {
  const key = `${want} ${text}`
  const known = compiled.get(key)
  if (known) return known
  const result = compileExpression(text, want)
  const expression = result.ok
    ? result.expression
    : { text, variables: [], evaluate: () => ({ ok: false, message: result.message }) as const }
  if (compiled.size >= MOST) compiled.clear()
  compiled.set(key, expression)
  return expression
}
