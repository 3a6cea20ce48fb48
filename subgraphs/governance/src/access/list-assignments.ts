import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { ASSIGNMENT_COLUMNS, ASSIGNMENT_TABLES, type AssignmentRow } from './assignment-row.ts'
import { ASSIGNMENT_IN_FORCE } from './effective-access.ts'

/** One page of assignments that are in force, newest first. */
export async function listAssignments(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments,
): Promise<Connection<AssignmentRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<AssignmentRow>(
    actor,
    `select ${ASSIGNMENT_COLUMNS} from ${ASSIGNMENT_TABLES}
     where a.organization_id = $1 and ${ASSIGNMENT_IN_FORCE} and ($2::uuid is null or a.id < $2)
     order by a.id desc limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
