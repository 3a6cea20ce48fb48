import type { TenantTransaction } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { line, optionalId, prose } from '../input/text.ts'
import { INCIDENT_COLUMNS, type IncidentRow } from './incident-row.ts'
import { IMPACTS } from './severity.ts'
import { writeIncident } from './write-incident.ts'
import { writeIncidentEntry } from './write-incident-entry.ts'

const inputSchema = z.object({
  /** What it comes from, as `failure_rate/workflow/<id>`: one open incident each. */
  cause: line(500),
  title: line(),
  description: prose(),
  impact: z.enum(IMPACTS),
  workaround: z.boolean().default(false),
  workflowId: optionalId(),
  teamId: optionalId(),
  /** The anomaly that says so; said again, it changes nothing. */
  anomalyId: optionalId(),
})

export type OpenIncidentForCauseInput = z.input<typeof inputSchema>

const ATTEMPTS = 3

/**
 * Opens an incident for a cause, or notes in the timeline of the open one that it goes on. Safe to repeat: an anomaly
 * that has been told already answers with its incident, even a resolved one. Events: incident.opened.
 */
export async function openIncidentForCause(
  { database }: DomainServices,
  actor: Actor,
  input: OpenIncidentForCauseInput,
): Promise<IncidentRow> {
  const { cause, ...rest } = parseInput(inputSchema, input)
  const anomalyId = rest.anomalyId ?? null
  return database.inTenant(actor, async (tx) => {
    const told = anomalyId === null ? undefined : await findTold(tx, anomalyId)
    if (told) return told
    // The open one can be resolved between our insert and our read; then there is room for ours.
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const opened = await writeIncident(tx, {
        ...rest,
        cause,
        anomalyId,
        workflowId: rest.workflowId ?? null,
        teamId: rest.teamId ?? null,
      })
      if (opened) return opened
      const open = await lockOpen(tx, cause)
      if (!open) continue
      const id = anomalyId ?? undefined
      await writeIncidentEntry(tx, {
        incidentId: open.id,
        kind: 'note',
        text: rest.description,
        ...(id === undefined ? {} : { id }),
      })
      return open
    }
    return fail('CONFLICT', { hint: 'The incident of this cause changes too fast; try again.' })
  })
}

async function findTold(tx: TenantTransaction, anomalyId: string): Promise<IncidentRow | undefined> {
  const [row] = await tx.sql<IncidentRow>(
    `select ${INCIDENT_COLUMNS} from incident where organization_id = $1::uuid
       and id = (select incident_id from incident_entry where organization_id = $1::uuid and id = $2::uuid)`,
    tx.actor.organizationId,
    anomalyId,
  )
  return row
}

async function lockOpen(tx: TenantTransaction, cause: string): Promise<IncidentRow | undefined> {
  const [row] = await tx.sql<IncidentRow>(
    `select ${INCIDENT_COLUMNS} from incident where organization_id = $1::uuid and open_cause = $2 for no key update`,
    tx.actor.organizationId,
    cause,
  )
  return row
}
