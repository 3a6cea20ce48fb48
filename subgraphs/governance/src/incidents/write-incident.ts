import type { TenantTransaction } from '@tutti/prisma'
import { actorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { INCIDENT_COLUMNS, type IncidentRow } from './incident-row.ts'
import { type Impact, RESOLVE_WITHIN_HOURS, severityOf } from './severity.ts'
import { writeIncidentEntry } from './write-incident-entry.ts'

/** An incident as it is written. */
export interface NewIncident {
  title: string
  description: string
  impact: Impact
  workaround: boolean
  workflowId: string | null
  teamId: string | null
  /** Null: by hand, as many as anybody opens. */
  cause: string | null
  anomalyId: string | null
}

/**
 * Writes an incident in the caller's transaction; null when one is open for the same cause. Events: incident.opened.
 */
export async function writeIncident(
  tx: TenantTransaction,
  incident: NewIncident,
): Promise<IncidentRow | null> {
  const severity = severityOf(incident.impact, incident.workaround)
  const [row] = await tx.sql<IncidentRow>(
    `insert into incident (organization_id, severity, title, description, impact, workaround, open_cause, workflow_id,
       team_id, anomaly_id, opened_by, resolve_by)
     values ($1::uuid, $2, $3, $4, $5, $6, $7, $8::uuid, $9::uuid, $10::uuid, $11::jsonb, now() + make_interval(hours => $12::int))
     on conflict (organization_id, open_cause) do nothing returning ${INCIDENT_COLUMNS}`,
    tx.actor.organizationId,
    severity,
    incident.title,
    incident.description,
    incident.impact,
    incident.workaround,
    incident.cause,
    incident.workflowId,
    incident.teamId,
    incident.anomalyId,
    JSON.stringify(actorRef(tx.actor)),
    RESOLVE_WITHIN_HOURS[severity],
  )
  if (!row) return null
  await writeIncidentEntry(tx, {
    incidentId: row.id,
    kind: 'opened',
    text: incident.description,
    ...(incident.anomalyId === null ? {} : { id: incident.anomalyId }),
  })
  await tx.appendEvent({
    type: 'incident.opened',
    subject: `incident/${row.id}`,
    data: { incidentId: row.id, severity, title: row.title },
  })
  await writeAuditEntry(tx, {
    actionType: 'execution',
    domain: 'governance',
    summary: `Incident opened (${severity}): ${row.title}`,
    details: {
      context: {
        impact: row.impact,
        workaround: row.workaround,
        workflowId: row.workflowId,
        teamId: row.teamId,
      },
      decision: severity,
      reasoning: row.description,
      outcome: 'open',
    },
    subject: `incident/${row.id}`,
  })
  return row
}
