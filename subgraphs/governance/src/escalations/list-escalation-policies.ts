import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { ESCALATION_POLICY_COLUMNS, type EscalationPolicyRow } from './escalation-policy-row.ts'

/** One page of escalation policies, oldest first. */
export async function listEscalationPolicies(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments,
): Promise<Connection<EscalationPolicyRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<EscalationPolicyRow>(
    actor,
    `select ${ESCALATION_POLICY_COLUMNS} from escalation_policy
     where organization_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
