import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { policyMemoryOf } from './policy-memory.ts'
import { POLICY_COLUMNS, type PolicyRow } from './policy-row.ts'

/** Takes a policy away and answers with it as it was. NOT_FOUND when there is none. */
export async function removeMessagePolicy(
  { database }: { database: Database },
  actor: Actor,
  id: string,
): Promise<PolicyRow> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const removed = await database.inTenant(actor, async (tx) => {
    const [policy] = await tx.sql<PolicyRow>(
      `delete from message_policy where organization_id = $1::uuid and id = $2::uuid returning ${POLICY_COLUMNS}`,
      actor.organizationId,
      id,
    )
    if (!policy) return fail('NOT_FOUND', { path: 'input.id' })
    await tx.appendEvent({
      type: 'message_policy.changed',
      subject: `message_policy/${id}`,
      data: { policyId: id, name: policy.name, change: 'removed' },
    })
    return policy
  })
  policyMemoryOf(database).forget(actor.organizationId)
  return removed
}
