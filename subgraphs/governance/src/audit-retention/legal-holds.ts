import { type Connection, connectionOf, isId, type PageArguments, parseInput, readPage } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { type ActorRef, actorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { line, prose } from '../input/text.ts'
import { LOCK_RETENTION } from './retention-row.ts'

/** Which entries a hold is about: all that is given must fit; nothing given: all entries. */
interface HoldFilter {
  subject?: string
  actor?: string
  domain?: string
  task?: string
}

/** What keeps entries of the trail from being pruned, until it is released. */
export interface LegalHoldRow {
  id: string
  reason: string
  filter: HoldFilter
  placedBy: ActorRef
  createdAt: Date
  releasedBy: ActorRef | null
  releaseReason: string | null
  releasedAt: Date | null
}

const COLUMNS = `id, reason, filter, placed_by as "placedBy", created_at as "createdAt", released_by as "releasedBy",
  release_reason as "releaseReason", released_at as "releasedAt"`

const setSchema = z.object({
  reason: prose(),
  filter: z
    .object({
      subject: line().nullish(),
      actor: line().nullish(),
      domain: line().nullish(),
      task: line().nullish(),
    })
    .nullish(),
})

/** Holds entries. BAD_INPUT. Events: legal_hold.set. Audit: an entry. */
export async function setLegalHold(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<LegalHoldRow> {
  const { reason, filter } = parseInput(setSchema, input)
  const kept = Object.fromEntries(Object.entries(filter ?? {}).filter(([, value]) => value != null))
  return database.inTenant(actor, async (tx) => {
    await tx.sql(`with locked as (${LOCK_RETENTION}) select 1 as locked from locked`, actor.organizationId)
    const [row] = await tx.sql<LegalHoldRow>(
      `insert into legal_hold (organization_id, reason, filter, placed_by) values ($1::uuid, $2, $3::jsonb, $4::jsonb)
       returning ${COLUMNS}`,
      actor.organizationId,
      reason,
      JSON.stringify(kept),
      JSON.stringify(actorRef(actor)),
    )
    if (!row) throw new Error('An insert answered with no row.')
    await tx.appendEvent({
      type: 'legal_hold.set',
      subject: `legal_hold/${row.id}`,
      data: { holdId: row.id, filter: { ...kept } },
    })
    await writeAuditEntry(tx, {
      actionType: 'decision',
      domain: 'audit',
      summary: `${actor.name} put ${Object.keys(kept).length === 0 ? 'all entries' : 'entries'} under a legal hold.`,
      details: { decision: 'hold', reasoning: reason, context: { filter: { ...kept } } },
      significance: 'compliance',
      subject: `legal_hold/${row.id}`,
    })
    return row
  })
}

const releaseSchema = z.object({ id: z.string(), reason: prose() })

/** Releases a hold; released before: it stays as it was. NOT_FOUND. Events: legal_hold.released. Audit: an entry. */
export async function releaseLegalHold(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<LegalHoldRow> {
  const { id, reason } = parseInput(releaseSchema, input)
  const missing = () => fail('NOT_FOUND', { path: 'input.id', message: 'There is no such hold.' })
  if (!isId(id)) return missing()
  return database.inTenant(actor, async (tx) => {
    const [before] = await tx.sql<LegalHoldRow>(
      `select ${COLUMNS} from legal_hold where organization_id = $1::uuid and id = $2::uuid for update`,
      actor.organizationId,
      id,
    )
    if (!before) return missing()
    if (before.releasedAt) return before
    const [row] = await tx.sql<LegalHoldRow>(
      `update legal_hold set released_by = $3::jsonb, release_reason = $4, released_at = clock_timestamp()
       where organization_id = $1::uuid and id = $2::uuid returning ${COLUMNS}`,
      actor.organizationId,
      id,
      JSON.stringify(actorRef(actor)),
      reason,
    )
    if (!row) return missing()
    await tx.appendEvent({
      type: 'legal_hold.released',
      subject: `legal_hold/${id}`,
      data: { holdId: id },
    })
    await writeAuditEntry(tx, {
      actionType: 'decision',
      domain: 'audit',
      summary: `${actor.name} released a legal hold.`,
      details: { decision: 'release', reasoning: reason },
      significance: 'compliance',
      subject: `legal_hold/${id}`,
    })
    return row
  })
}

/** Holds, newest first, released ones as well. */
export async function listLegalHolds(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments,
): Promise<Connection<LegalHoldRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<LegalHoldRow>(
    actor,
    `select ${COLUMNS} from legal_hold where organization_id = $1 and ($2::uuid is null or id < $2)
     order by id desc limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
