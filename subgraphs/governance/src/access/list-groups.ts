import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { GROUP_COLUMNS, type GroupRow } from './group-row.ts'

const MOST = 1_000

/** The organization's groups by name, the first 1,000. */
export const listGroups = ({ database }: DomainServices, actor: Actor): Promise<GroupRow[]> =>
  database.readTenant<GroupRow>(
    actor,
    `select ${GROUP_COLUMNS} from access_group g where g.organization_id = $1 order by g.name limit $2`,
    [actor.organizationId, MOST],
  )
