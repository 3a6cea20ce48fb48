import type { SqlTransaction } from '@tutti/prisma'
import { type ActorRef, actorRef } from '../access/actor-ref.ts'
import type { EscalationLevel, Responsible } from './escalation-level.ts'
import type { EscalationRow } from './escalation-row.ts'
import type { Missed } from './escalation-status.ts'

/** What can happen to an escalation. */
export type EscalationStepKind =
  | 'opened'
  | 'acknowledged'
  | 'raised'
  | 'reassigned'
  | 'commented'
  | 'exhausted'
  | 'resolved'

/** Something that happened to an escalation, as its table keeps it; `responsible` and `assignedTo` are as of after it. */
export interface EscalationStepRow {
  id: string
  escalationId: string
  kind: EscalationStepKind
  level: EscalationLevel
  /** Of a raise, where it was before. */
  fromLevel: EscalationLevel | null
  cause: Missed | 'request' | null
  text: string | null
  responsible: Responsible | null
  assignedTo: ActorRef | null
  actor: ActorRef
  createdAt: Date
}

/** {@link EscalationStepRow} of the table `escalation_step`. */
export const STEP_COLUMNS = `id, escalation_id as "escalationId", kind, level, from_level as "fromLevel", cause, text,
  responsible, assigned_to as "assignedTo", actor, created_at as "createdAt"`

/** What a step says besides what the escalation is after it. */
export interface NewStep {
  kind: EscalationStepKind
  fromLevel?: EscalationLevel
  cause?: Missed | 'request'
  text?: string | null
}

/** Adds to an escalation's history in the caller's transaction; answers with the step's id. */
export async function writeStep(
  tx: SqlTransaction,
  { id, level, responsible, assignedTo }: EscalationRow,
  step: NewStep,
): Promise<string> {
  const [row] = await tx.sql<{ id: string }>(
    `insert into escalation_step (organization_id, escalation_id, kind, level, from_level, cause, text, responsible,
       assigned_to, actor, created_at)
     values ($1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, $10::jsonb, clock_timestamp()) returning id`,
    tx.actor.organizationId,
    id,
    step.kind,
    level,
    step.fromLevel ?? null,
    step.cause ?? null,
    step.text ?? null,
    responsible && JSON.stringify(responsible),
    assignedTo && JSON.stringify(assignedTo),
    JSON.stringify(actorRef(tx.actor)),
  )
  if (!row) throw new Error('An insert answered with no row.')
  return row.id
}
