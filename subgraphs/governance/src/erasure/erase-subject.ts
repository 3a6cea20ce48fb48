import type { SqlTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { lockAdministrators } from '../access/keep-an-administrator.ts'
import { type Left, openStrandedApprovals } from '../approvals/open-stranded-approvals.ts'
import { behind } from '../access/behind.ts'
import { recordingRefusal } from '../audit/record-refusal.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { LOCK_RETENTION } from '../audit-retention/retention-row.ts'
import type { DomainServices } from '../context.ts'
import { line, prose } from '../input/text.ts'
import { ERASED } from './erased.ts'
import { ERASURE_COLUMNS, type ErasureRow } from './erasure-row.ts'
import { forgetPerson } from './forget-person.ts'

const inputSchema = z.object({
  subject: line().refine((subject) => /^[a-z][a-z_]*\/./.test(subject), 'As person/<id> or customer/4711.'),
  reason: prose(),
})

/**
 * Forgets somebody, in one transaction: destroys the key of their data and, of a person, their name, their credentials and
 * what they wrote. Of one who was forgotten, and about whom nothing was written since, answers with that. BAD_INPUT;
 * NOT_FOUND for whom nothing is known about; SEPARATION_OF_DUTIES (a denial) for oneself, for whom one acts, and for who
 * made the key; CONFLICT when a legal hold fits one of their entries; INVALID_STATE for the last administrator. Events:
 * subject.erased, credential.revoked for each of theirs; approval.escalated and escalation.opened for what nobody else can
 * decide. Audit: an entry.
 */
export async function eraseSubject(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<ErasureRow> {
  const { subject, reason } = parseInput(inputSchema, input)
  const person = subject.startsWith('person/') ? subject.slice('person/'.length) : null
  const tried = { action: 'Mutation.eraseSubject', subject }
  return recordingRefusal(services, actor, tried, async () => {
    if (person !== null && [...behind(actor), actor.onBehalfOf?.id].includes(person))
      fail('SEPARATION_OF_DUTIES', {
        path: 'input.subject',
        message: 'Nobody forgets themselves, nor whom they act for.',
        hint: 'Somebody else who may does it.',
      })
    return erase(services, actor, { subject, person, reason })
  })
}

async function erase(
  { database }: DomainServices,
  actor: Actor,
  { subject, person, reason }: { subject: string; person: string | null; reason: string },
): Promise<ErasureRow> {
  const { organizationId } = actor
  let left: Left = {}
  const done = await database.inSql(actor, async (tx) => {
    if (person !== null) await lockAdministrators(tx)
    // Whoever puts a hold waits, or is seen; and so does another erasure.
    await tx.sql(`with locked as (${LOCK_RETENTION}) select 1 as locked from locked`, organizationId)
    const [key] = await tx.sql<{ id: string }>(
      `select id from subject_key where organization_id = $1::uuid and subject = $2 and erased_at is null for update`,
      organizationId,
      subject,
    )
    if (!key && !(await isKnownPerson(tx, person))) {
      const [before] = await tx.sql<ErasureRow>(
        `select ${ERASURE_COLUMNS} from subject_key
         where organization_id = $1::uuid and subject = $2 and erased_at is not null order by erased_at desc limit 1`,
        organizationId,
        subject,
      )
      return before ?? fail('NOT_FOUND', { path: 'input.subject', message: 'Nothing is known about it.' })
    }
    await requireNoHold(tx, subject, key?.id ?? null, person)
    const { id } = await destroyKey(tx, key?.id ?? null, subject, reason)
    const [words] = await tx.sql<{ entries: number }>('select erase_words(array[$1::uuid]) as entries', id)
    const [erasure] = await tx.sql<ErasureRow>(
      `update subject_key set entries = $3::int where organization_id = $1::uuid and id = $2::uuid returning ${ERASURE_COLUMNS}`,
      organizationId,
      id,
      words?.entries ?? 0,
    )
    if (!erasure) throw new Error('An update answered with no row.')
    if (person !== null) left = await forgetPerson(tx, person)
    await tx.appendEvent({
      type: 'subject.erased',
      subject: `erasure/${id}`,
      data: { erasureId: id, keyIds: [id], entries: erasure.entries },
    })
    await writeAuditEntry(tx, {
      actionType: 'decision',
      domain: 'audit',
      summary: 'A data subject was forgotten.',
      details: { decision: 'erase', reasoning: reason, context: { erasureId: id, entries: erasure.entries } },
      outcome: 'erased',
      significance: 'compliance',
      subject: `erasure/${id}`,
    })
    return erasure
  })
  database.subjectKeys.forget(actor, subject)
  await openStrandedApprovals({ database }, actor, left)
  return done
}

/** A principal, or who is known by their tokens, who was not forgotten yet. */
async function isKnownPerson(tx: SqlTransaction, person: string | null): Promise<boolean> {
  if (person === null) return false
  const known = await tx.sql(
    'select 1 from known_person where organization_id = $1::uuid and id = $2 and name <> $3 for update',
    tx.actor.organizationId,
    person,
    ERASED,
  )
  if (known.length > 0) return true
  if (!isId(person)) return false
  const found = await tx.sql(
    `select 1 from principal p where organization_id = $1::uuid and id = $2::uuid and kind = 'person'
       and not exists (select from subject_key k where k.organization_id = p.organization_id
         and k.subject = 'person/' || p.id and k.erased_at is not null) for update`,
    tx.actor.organizationId,
    person,
  )
  return found.length > 0
}

/** CONFLICT when a hold that is not released is on the subject, or fits an entry of it. */
async function requireNoHold(
  tx: SqlTransaction,
  subject: string,
  keyId: string | null,
  person: string | null,
): Promise<void> {
  const [hold] = await tx.sql<{ id: string; reason: string }>(
    `select h.id, h.reason from legal_hold h
     where h.organization_id = $1::uuid and h.released_at is null and (h.filter->>'subject' = $4 or exists (
       select from audit_entry e where e.organization_id = $1::uuid
         and (e.id in (select audit_entries_under(array[$2::uuid])) or e.actor_id = $3 or e.on_behalf_of->>'id' = $3)
         and coalesce(h.filter->>'subject' = e.subject or exists (select from subject_key k where k.organization_id = $1::uuid
           and k.id = any(e.key_ids) and k.subject = h.filter->>'subject'), true)
         and coalesce(h.filter->>'actor' in (e.actor_id, coalesce(e.on_behalf_of->>'id', e.actor_id)), true)
         and coalesce(h.filter->>'domain' = e.domain, true)
         and (h.filter->>'task' is null or h.filter->>'task' = any(e.related_tasks))))
     order by h.id limit 1`,
    tx.actor.organizationId,
    keyId,
    person,
    subject,
  )
  if (hold)
    fail('CONFLICT', {
      path: 'input.subject',
      message: `The legal hold ${hold.id} holds what is about it: ${hold.reason}`,
      hint: 'releaseLegalHold lets it be forgotten.',
    })
}

/** Of a principal who never had a key, that they were forgotten is kept as one that is destroyed. */
async function destroyKey(
  tx: SqlTransaction,
  keyId: string | null,
  subject: string,
  reason: string,
): Promise<{ id: string }> {
  const erasedBy = JSON.stringify(actorRef(tx.actor))
  const [row] =
    keyId === null
      ? await tx.sql<{ id: string }>(
          `insert into subject_key (organization_id, subject, master_key, erased_at, erased_by, erasure_reason, entries)
           values ($1::uuid, $2, '', clock_timestamp(), $3::jsonb, $4, 0) returning id`,
          tx.actor.organizationId,
          subject,
          erasedBy,
          reason,
        )
      : await tx.sql<{ id: string }>(
          `update subject_key set wrapped = null, erased_at = clock_timestamp(), erased_by = $3::jsonb, erasure_reason = $4
           where organization_id = $1::uuid and id = $2::uuid returning id`,
          tx.actor.organizationId,
          keyId,
          erasedBy,
          reason,
        )
  return row ?? fail('INTERNAL', { message: 'A key was destroyed and answered with no row.' })
}
