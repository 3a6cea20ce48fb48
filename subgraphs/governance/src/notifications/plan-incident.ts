import type { Actor, EventRecord } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { assigneeOf } from '../escalations/enter-level.ts'
import { ruleAt } from '../escalations/escalation-status.ts'
import { readLadder } from '../escalations/read-ladder.ts'
import { INCIDENT_COLUMNS, type IncidentRow } from '../incidents/incident-row.ts'
import { concernedBy, plan } from './plan-notifications.ts'

const GRAVE: readonly string[] = ['SEV_1', 'SEV_2']

/**
 * Makes what is to be told of a grave incident: to whoever is responsible for escalations to the enterprise where it is, but
 * not to who opened it, and to the organization's channels; once, however often this is called. Broken glass is told of as
 * such, and not as the incident that it is. Output: how many are new.
 */
export async function planIncident(
  { database }: DomainServices,
  actor: Actor,
  { subject, data: { incidentId, severity } }: EventRecord<'incident.opened'>,
): Promise<number> {
  if (!GRAVE.includes(severity)) return 0
  return database.inTenant(actor, async (tx) => {
    const [incident] = await tx.sql<IncidentRow>(
      `select ${INCIDENT_COLUMNS} from incident i where organization_id = $1::uuid and id = $2::uuid and not exists (
         select from break_glass b where b.organization_id = i.organization_id and b.incident_id = i.id)`,
      actor.organizationId,
      incidentId,
    )
    if (!incident) return 0
    const { title, description, impact, workflowId, teamId, openedBy, resolveBy } = incident
    const { responsible } = ruleAt(await readLadder(tx, { teamId, domainId: null }), 'enterprise')
    const onCall = await assigneeOf(tx, responsible)
    return plan(
      tx,
      { subject, turn: 0, occasion: 'opened' },
      { ...concernedBy(onCall ? { kind: 'person', name: onCall.id } : responsible), except: [openedBy.id] },
      {
        type: 'incident.opened',
        title: `Incident (${severity}): ${title}`,
        said: description,
        lines: [`To be resolved until ${resolveBy.toISOString()}.`, `Incident ${incidentId}`],
        data: {
          incidentId,
          severity,
          title,
          impact,
          workflowId,
          teamId,
          resolveBy: resolveBy.toISOString(),
          actor: { id: openedBy.id, name: openedBy.name },
        },
      },
    )
  })
}
