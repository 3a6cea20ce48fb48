import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { TRIGGER_COLUMNS, type TriggerRow } from './trigger-row.ts'

/** Triggers, newest first. A workflow that is not there has none. */
export async function listTriggers(
  { database, actor }: Context,
  listing: PageArguments & { workflowId?: string | null | undefined },
): Promise<Connection<TriggerRow>> {
  const { take, afterId } = readPage(listing)
  const { workflowId = null } = listing
  if (workflowId !== null && !isId(workflowId)) return connectionOf<TriggerRow>([], take)
  const rows = await database.readTenant<TriggerRow>(
    actor,
    `select ${TRIGGER_COLUMNS} from trigger t
     where t.organization_id = $1 and ($2::uuid is null or t.id < $2) and ($3::uuid is null or t.workflow_id = $3)
     order by t.id desc limit $4`,
    [actor.organizationId, afterId, workflowId, take],
  )
  return connectionOf(rows, take)
}
