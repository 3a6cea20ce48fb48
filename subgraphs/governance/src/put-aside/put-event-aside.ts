import type { Actor, EventRecord } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { writeIncident } from '../incidents/write-incident.ts'

/** Why an event was put aside; nothing of it is secret or of what was handled. */
export interface PutAsideReason {
  /** A code of ours, or SQLSTATE_ and PostgreSQL's. */
  code: string
  message: string
  /** How often it was tried. */
  tries: number
}

/**
 * Writes down that a consumer could not handle an event of the actor's tenant and goes on without it; again for the same
 * event, it is put aside anew. Opens one incident a consumer, while none is open. Events: event.put_aside (not of an
 * event that says so itself, which would have no end), incident.opened.
 */
export async function putEventAside(
  { database }: DomainServices,
  actor: Actor,
  consumer: string,
  { seq, type, subject }: EventRecord,
  { code, message, tries }: PutAsideReason,
): Promise<void> {
  await database.inTenant(actor, async (tx) => {
    await tx.sql(
      `insert into put_aside_event as p (organization_id, consumer, seq, type, subject, code, message, tries)
       values ($1::uuid, $2, $3::bigint, $4, $5, $6, $7, $8::int)
       on conflict (organization_id, consumer, seq) do update set status = 'aside', code = excluded.code,
         message = excluded.message, tries = p.tries + excluded.tries, put_aside_at = now()
       returning id`,
      actor.organizationId,
      consumer,
      String(seq),
      type,
      subject,
      code,
      message,
      tries,
    )
    if (type === 'event.put_aside') return
    await tx.appendEvent({
      type: 'event.put_aside',
      subject,
      data: { consumer, seq: String(seq), eventType: type, code },
    })
    await writeIncident(tx, {
      title: `What happened could not be handled: ${consumer}`,
      description:
        `"${consumer}" could not handle ${type} of ${subject} and goes on without it: ${code}, ${message} ` +
        'Others may follow while this is open; the events event.put_aside say which. ' +
        'When the cause is gone, retryPutAsideEvents has them handled once more.',
      impact: 'domain',
      workaround: false,
      workflowId: null,
      teamId: null,
      cause: `put_aside/${consumer}`,
      anomalyId: null,
    })
  })
}
