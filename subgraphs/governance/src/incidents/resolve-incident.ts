import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import type { DomainServices } from '../context.ts'
import { prose } from '../input/text.ts'
import { INCIDENT_COLUMNS, type IncidentRow } from './incident-row.ts'
import { canResolve } from './incident-status.ts'
import { lockIncident } from './lock-incident.ts'
import { recordIncidentChange } from './record-incident-change.ts'

const inputSchema = z.object({ id: z.string(), resolution: prose() })

/**
 * Closes an incident; its cause may open another from now on. Events: incident.resolved. NOT_FOUND, or INVALID_STATE
 * when it is over.
 */
export async function resolveIncident(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<IncidentRow> {
  const { id, resolution } = parseInput(inputSchema, input)
  return database.inTenant(actor, async (tx) => {
    const incident = await lockIncident(tx, id)
    if (!canResolve(incident.status)) {
      fail('INVALID_STATE', { path: 'input.id', hint: 'It is resolved already.' })
    }
    const [row] = await tx.sql<IncidentRow>(
      `update incident set status = 'resolved', resolution = $3, resolved_by = $4::jsonb, resolved_at = now(),
         open_cause = null
       where organization_id = $1::uuid and id = $2::uuid returning ${INCIDENT_COLUMNS}`,
      actor.organizationId,
      id,
      resolution,
      JSON.stringify(actorRef(actor)),
    )
    await recordIncidentChange(tx, incident, 'resolved', resolution)
    return row ?? fail('NOT_FOUND', { path: 'input.id' })
  })
}
