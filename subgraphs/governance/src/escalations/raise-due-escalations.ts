import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { APPROVAL_COLUMNS, type ApprovalRow } from '../approvals/approval-row.ts'
import { openToResponsible } from '../approvals/open-to-responsible.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { writeIncident } from '../incidents/write-incident.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'
import { type Missed, missedAt, ruleAbove } from './escalation-status.ts'
import { writeStep } from './escalation-step.ts'
import { moveUp } from './move-up.ts'
import { readLadder } from './read-ladder.ts'

/**
 * Takes those of the escalations `ids` whose deadline has passed up a level, by the database's clock; what is on the last
 * level stays there, once, with an incident. Whoever is responsible then may decide what it waits for. What somebody else changes at this moment is left to them. Output: how many.
 * Events: escalation.raised; or escalation.exhausted and incident.opened; approval.escalated. Audit: an entry each.
 */
export async function raiseDueEscalations(
  { database }: DomainServices,
  actor: Actor,
  ids: readonly string[],
): Promise<number> {
  return database.inTenant(actor, async (tx) => {
    // Before the escalations, as whoever decides does.
    const approvals = await tx.sql<ApprovalRow>(
      `select ${APPROVAL_COLUMNS} from approval
       where organization_id = $1::uuid and id in (
         select approval_id from escalation
         where organization_id = $1::uuid and id = any($2::uuid[]) and ${IS_DUE})
       order by id for no key update skip locked`,
      actor.organizationId,
      ids.filter(isId),
    )
    const due = await tx.sql<EscalationRow & { now: Date }>(
      `select ${ESCALATION_COLUMNS}, clock_timestamp() as now from escalation
       where organization_id = $1::uuid and id = any($2::uuid[]) and ${IS_DUE}
         and (approval_id is null or approval_id = any($3::uuid[])) order by id for no key update skip locked`,
      actor.organizationId,
      ids.filter(isId),
      approvals.map(({ id }) => id),
    )
    for (const { now, ...escalation } of due) {
      const missed = missedAt(escalation, now)
      const above = ruleAbove(await readLadder(tx, escalation), escalation.level)
      // Rounding to a millisecond may leave the moment itself: the next look finds it.
      if (missed === null) continue
      const approval = approvals.find(({ id }) => id === escalation.approvalId) ?? null
      if (above) await moveUp(tx, { escalation, approval }, above, missed, null)
      else await exhaust(tx, escalation, approval, missed)
    }
    return due.length
  })
}

const IS_DUE = `status <> 'resolved' and due_at <= clock_timestamp()`

async function exhaust(
  tx: TenantTransaction,
  escalation: EscalationRow,
  approval: ApprovalRow | null,
  cause: Missed,
): Promise<void> {
  const { id, level, title, reason, teamId, taskId } = escalation
  const incident = await writeIncident(tx, {
    title: `Nobody answers an escalation: ${title}`.slice(0, 200).toWellFormed(),
    description: `Its last level, ${level}, missed the deadline of ${cause}. ${reason}`
      .slice(0, 10_000)
      .toWellFormed(),
    impact: 'team',
    workaround: false,
    workflowId: null,
    teamId,
    cause: `escalation/${id}`,
    anomalyId: null,
  })
  const [row] = await tx.sql<EscalationRow>(
    `update escalation set due_at = null, exhausted_at = clock_timestamp(),
       incident_id = coalesce($3::uuid, incident_id)
     where organization_id = $1::uuid and id = $2::uuid returning ${ESCALATION_COLUMNS}`,
    tx.actor.organizationId,
    id,
    incident?.id ?? null,
  )
  if (!row) throw new Error('A locked escalation is gone.')
  await writeStep(tx, row, { kind: 'exhausted', cause })
  await tx.appendEvent({
    type: 'escalation.exhausted',
    subject: `escalation/${id}`,
    data: { escalationId: id, level, cause, incidentId: row.incidentId ?? '' },
  })
  const decides = await openToResponsible(tx, approval, row)
  await writeAuditEntry(tx, {
    actionType: 'escalation',
    domain: 'governance',
    summary: `The last level missed its deadline: ${title}`,
    details: {
      context: { level, incidentId: row.incidentId, ...(decides ? { decides } : {}) },
      decision: 'stay',
      reasoning: `missed: ${cause}`,
      outcome: 'an incident is open',
    },
    significance: 'significant',
    subject: `escalation/${id}`,
    relatedTasks: taskId === null ? [] : [taskId],
  })
}
