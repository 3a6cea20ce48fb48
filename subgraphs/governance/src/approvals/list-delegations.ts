import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { DELEGATION_COLUMNS, type DelegationRow } from './delegation-row.ts'

/** One page of delegations, oldest first: those in force, or all there ever were; of one person, or everybody's. */
export async function listDelegations(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments & { of?: string | null | undefined; all?: boolean | null | undefined },
): Promise<Connection<DelegationRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<DelegationRow>(
    actor,
    `select ${DELEGATION_COLUMNS} from approval_delegation
     where organization_id = $1 and ($2::uuid is null or id > $2) and ($3::text is null or from_id = $3 or to_id = $3)
       and ($4 or (ended_at is null and ends_at > clock_timestamp())) order by id limit $5`,
    [
      actor.organizationId,
      afterId,
      page.of?.includes('\0') ? '' : (page.of ?? null),
      page.all ?? false,
      take,
    ],
  )
  return connectionOf(rows, take)
}
