import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { TEAM_COLUMNS, type TeamRow } from './hierarchy-rows.ts'

/** Teams by id, in one read; an id that is not of this organization is left out. */
export async function loadTeams(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, TeamRow>> {
  const rows = await database.readTenant<TeamRow>(
    actor,
    `select ${TEAM_COLUMNS} from team where organization_id = $1::uuid and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** Teams by the domain they belong to, by name, in one read. */
export async function loadTeamsOfDomains(
  { database, actor }: Context,
  domainIds: readonly string[],
): Promise<ReadonlyMap<string, TeamRow[]>> {
  const rows = await database.readTenant<TeamRow>(
    actor,
    `select ${TEAM_COLUMNS} from team where organization_id = $1::uuid and domain_id = any($2::uuid[]) order by name`,
    [actor.organizationId, domainIds.filter(isId)],
  )
  return Map.groupBy(rows, ({ domainId }) => domainId)
}
