import { type Actor, fail } from '@tutti/schema'
import { actorRef } from '../access/actor-ref.ts'
import type { DomainServices } from '../context.ts'
import { INCIDENT_COLUMNS, type IncidentRow } from './incident-row.ts'
import { canAcknowledge } from './incident-status.ts'
import { lockIncident } from './lock-incident.ts'
import { recordIncidentChange } from './record-incident-change.ts'

/**
 * Takes an incident on; again by the same, it changes nothing. Events: incident.acknowledged. NOT_FOUND, or
 * INVALID_STATE when another has it or it is over.
 */
export async function acknowledgeIncident(
  { database }: DomainServices,
  actor: Actor,
  { id }: { id: string },
): Promise<IncidentRow> {
  return database.inTenant(actor, async (tx) => {
    const incident = await lockIncident(tx, id)
    if (incident.status === 'acknowledged' && incident.acknowledgedBy?.id === actor.id) return incident
    if (!canAcknowledge(incident.status)) {
      fail('INVALID_STATE', { path: 'input.id', hint: `It is ${incident.status} already.` })
    }
    const [row] = await tx.sql<IncidentRow>(
      `update incident set status = 'acknowledged', acknowledged_by = $3::jsonb, acknowledged_at = now()
       where organization_id = $1::uuid and id = $2::uuid returning ${INCIDENT_COLUMNS}`,
      actor.organizationId,
      id,
      JSON.stringify(actorRef(actor)),
    )
    await recordIncidentChange(tx, incident, 'acknowledged', `${actor.name} took it on.`)
    return row ?? fail('NOT_FOUND', { path: 'input.id' })
  })
}
