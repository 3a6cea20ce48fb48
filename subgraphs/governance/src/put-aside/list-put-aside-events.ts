import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import type { PutAsideRow, PutAsideStatus } from './put-aside-row.ts'

/** One page of what was put aside, whatever became of it; newest first. */
export async function listPutAsideEvents(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments & { status?: PutAsideStatus | undefined },
): Promise<Connection<PutAsideRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<PutAsideRow>(
    actor,
    `select p.id, p.consumer, e.id as "eventId", e.time as "occurredAt", p.type, p.subject, p.code, p.message, p.tries,
       p.status, p.put_aside_at as "putAsideAt"
     from (select * from put_aside_event
       where organization_id = $1 and ($2::uuid is null or id < $2) and ($3::text is null or status = $3)
       order by id desc limit $4) p
     left join log.event e on e.organization_id = p.organization_id and e.seq = p.seq
     order by p.id desc`,
    [actor.organizationId, afterId, page.status ?? null, take],
  )
  return connectionOf(rows, take)
}
