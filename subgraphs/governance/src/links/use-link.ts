import type { SqlTransaction } from '@tutti/prisma'
import { fail } from '@tutti/schema'
import type { DecisionLink } from './decision-link.ts'

/**
 * Uses up a link, and every other that the person has for the same, in the transaction of what it does: whoever comes at the
 * same moment waits here and finds it used. NOT_FOUND when it is used or over.
 */
export async function useLink(
  tx: SqlTransaction,
  { linkId, subject, principalId }: DecisionLink,
): Promise<void> {
  const { organizationId } = tx.actor
  const good = await tx.sql<{ id: string }>(
    `select id from decision_link where organization_id = $1::uuid and subject = $2 and principal_id = $3::uuid
       and used_at is null and expires_at > clock_timestamp() order by id for no key update`,
    organizationId,
    subject,
    principalId,
  )
  if (!good.some(({ id }) => id === linkId)) fail('NOT_FOUND', { path: 'link' })
  await tx.sql(
    `update decision_link set used_at = clock_timestamp() where organization_id = $1::uuid and subject = $2
       and principal_id = $3::uuid and used_at is null returning id`,
    organizationId,
    subject,
    principalId,
  )
}
