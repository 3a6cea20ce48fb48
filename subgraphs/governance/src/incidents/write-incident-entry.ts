import type { TenantTransaction } from '@tutti/prisma'
import { actorRef } from '../access/actor-ref.ts'

/** A line for the timeline; one with an `id` of its own is written once, however often it comes. */
export interface NewIncidentEntry {
  incidentId: string
  kind: 'opened' | 'acknowledged' | 'note' | 'resolved'
  text: string
  id?: string
}

/** Adds a line to an incident's timeline in the caller's transaction. */
export async function writeIncidentEntry(tx: TenantTransaction, entry: NewIncidentEntry): Promise<void> {
  await tx.sql(
    `insert into incident_entry (organization_id, id, incident_id, kind, text, actor)
     values ($1::uuid, coalesce($2::uuid, uuidv7()), $3::uuid, $4, $5, $6::jsonb)
     on conflict (organization_id, id) do nothing`,
    tx.actor.organizationId,
    entry.id ?? null,
    entry.incidentId,
    entry.kind,
    entry.text,
    JSON.stringify(actorRef(tx.actor)),
  )
}
