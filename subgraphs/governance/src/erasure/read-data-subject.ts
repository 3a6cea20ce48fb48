import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { findable } from '../input/text.ts'
import { ERASURE_COLUMNS, type ErasureRow } from './erasure-row.ts'

/** What is kept about a subject. */
export interface DataSubjectRow {
  subject: string
  /** When its key was made; null: it has none. */
  keptSince: Date | null
  entries: number
  /** Newest first. */
  erasures: ErasureRow[]
}

/** Reads what is kept about a subject; of one that nobody ever named, that nothing is. */
export async function readDataSubject(
  { database }: DomainServices,
  actor: Actor,
  { subject }: { subject: string },
): Promise<DataSubjectRow> {
  const values = [actor.organizationId, findable(subject)]
  return database.transact(actor, async (client) => {
    const { rows: live } = await client.query<{ keptSince: Date; entries: number }>(
      `select created_at as "keptSince", (select count(*)::int from audit_entries_under(array[id])) as entries
       from subject_key where organization_id = $1 and subject = $2 and erased_at is null`,
      values,
    )
    const { rows: erasures } = await client.query<ErasureRow>(
      `select ${ERASURE_COLUMNS} from subject_key
       where organization_id = $1 and subject = $2 and erased_at is not null order by erased_at desc`,
      values,
    )
    return { subject, keptSince: live[0]?.keptSince ?? null, entries: live[0]?.entries ?? 0, erasures }
  })
}
