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

// One that only expires by its deadline counts as expired from then on; of others the rule has yet to be applied.
const OVERDUE = `(status in ('pending', 'changes_requested') and on_deadline = 'expire'
  and coalesce(expires_at <= clock_timestamp(), false))`
const STATUS_FILTER = `($3::text is null
  or ($3 = 'expired' and (status = 'expired' or ${OVERDUE}))
  or ($3 <> 'expired' and status = $3 and not ${OVERDUE}))`
