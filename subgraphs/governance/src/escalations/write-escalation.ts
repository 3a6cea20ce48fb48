import type { SqlTransaction } from '@tutti/prisma'
import type { ActorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { assigneeOf } from './enter-level.ts'
import type { EscalationLevel } from './escalation-level.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'
import { ruleAt } from './escalation-status.ts'
import { writeStep } from './escalation-step.ts'
import { type Place, readLadder } from './read-ladder.ts'

/** An escalation as it is written. */
interface NewEscalation extends Partial<Place> {
  requestKey: string
  title: string
  reason: string
  /** Whose policy leaves it out, it begins on the next above. */
  level: EscalationLevel
  context: unknown
  runId: string | null
  taskId: string | null
  /** What settles it. */
  approvalId: string | null
  openedBy: ActorRef
}

/**
 * Writes an escalation in the caller's transaction, once a request key: again, it returns what is there. Events:
 * escalation.opened. Audit: the escalation.
 */
export async function writeEscalation(tx: SqlTransaction, given: NewEscalation): Promise<EscalationRow> {
  const place = { teamId: given.teamId ?? null, domainId: given.domainId ?? null }
  const rule = ruleAt(await readLadder(tx, place), given.level)
  const assignedTo = await assigneeOf(tx, rule.responsible)
  const [escalation] = await tx.sql<EscalationRow>(
    `insert into escalation (organization_id, request_key, title, reason, level, context, run_id, task_id, approval_id,
       opened_by, team_id, domain_id, responsible, assigned_to, acknowledge_by, resolve_by, due_at)
     values ($1::uuid, $2, $3, $4, $5, $6::jsonb, $7::uuid, $8::uuid, $9::uuid, $10::jsonb, $11::uuid, $12::uuid,
       $13::jsonb, $14::jsonb, clock_timestamp() + make_interval(secs => $15::float8),
       clock_timestamp() + make_interval(secs => $16::float8),
       clock_timestamp() + make_interval(secs => least($15::float8, $16::float8)))
     on conflict (organization_id, request_key) do nothing returning ${ESCALATION_COLUMNS}`,
    tx.actor.organizationId,
    given.requestKey,
    given.title,
    given.reason,
    rule.level,
    JSON.stringify(given.context),
    given.runId,
    given.taskId,
    given.approvalId,
    JSON.stringify(given.openedBy),
    place.teamId,
    place.domainId,
    JSON.stringify(rule.responsible),
    assignedTo && JSON.stringify(assignedTo),
    rule.acknowledgeWithinSeconds,
    rule.resolveWithinSeconds,
  )
  if (!escalation) return (await readEscalation(tx, given.requestKey)) ?? gone()
  await recordOpening(tx, escalation)
  return escalation
}

/** The escalation of a request key. */
export async function readEscalation(
  tx: SqlTransaction,
  requestKey: string,
): Promise<EscalationRow | undefined> {
  const [row] = await tx.sql<EscalationRow>(
    `select ${ESCALATION_COLUMNS} from escalation where organization_id = $1::uuid and request_key = $2`,
    tx.actor.organizationId,
    requestKey,
  )
  return row
}

async function recordOpening(tx: SqlTransaction, escalation: EscalationRow): Promise<void> {
  const { id, level, runId, taskId, title, reason, approvalId, openedBy } = escalation
  await writeStep(tx, escalation, { kind: 'opened', text: reason })
  await tx.appendEvent({
    type: 'escalation.opened',
    subject: `escalation/${id}`,
    data: { escalationId: id, level, runId, taskId },
  })
  await writeAuditEntry(tx, {
    actionType: 'escalation',
    domain: 'governance',
    summary: `Escalated to ${level}: ${title}`,
    details: {
      context: { runId, approvalId, openedBy },
      decision: 'escalate',
      reasoning: reason,
      outcome: 'open',
    },
    subject: `escalation/${id}`,
    relatedTasks: taskId === null ? [] : [taskId],
  })
}

function gone(): never {
  throw new Error('An escalation was there and is not.')
}
