import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { POLICY_COLUMNS, type PolicyKind, type PolicyRow, VERSION_STATUS } from './policy-row.ts'
import type { VersionStatus } from './policy-version-status.ts'

/** One page of policies, newest first; with a status those that have a version in it. */
export async function listPolicies(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments & { kind?: PolicyKind | undefined; status?: VersionStatus | undefined },
): Promise<Connection<PolicyRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<PolicyRow>(
    actor,
    `select ${POLICY_COLUMNS} from policy p
     where organization_id = $1 and ($2::uuid is null or id < $2) and ($3::text is null or kind = $3)
       and ($4::text is null or exists (select from policy_version v
         where v.organization_id = p.organization_id and v.policy_id = p.id and ${VERSION_STATUS} = $4))
     order by id desc limit $5`,
    [actor.organizationId, afterId, page.kind ?? null, page.status ?? null, take],
  )
  return connectionOf(rows, take)
}
