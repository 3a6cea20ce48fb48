import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'
import type { ApprovalStatus } from './approval-status.ts'

/** One page of approvals, oldest first; one whose time has passed counts as expired, not as pending. */
export async function listApprovals(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments & { status?: ApprovalStatus | undefined },
): Promise<Connection<ApprovalRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<ApprovalRow>(
    actor,
    `select ${APPROVAL_COLUMNS} from approval
     where organization_id = $1 and ($2::uuid is null or id > $2) and ${STATUS_FILTER} order by id limit $4`,
    [actor.organizationId, afterId, page.status ?? null, take],
  )
  return connectionOf(rows, take)
}

const STATUS_FILTER = `($3::text is null
  or ($3 in ('approved', 'rejected', 'withdrawn') and status = $3)
  or ($3 = 'pending' and status = 'pending' and (expires_at is null or expires_at > now()))
  or ($3 = 'expired' and (status = 'expired' or (status = 'pending' and expires_at <= now()))))`
