import type { SqlTransaction } from '@tutti/prisma'
import { fail } from '@tutti/schema'
import { MAKERS_OF_PLACE } from '../notifications/own-place.ts'
import { type DecisionLink, SENT_TO } from './decision-link.ts'

/**
 * Uses up a link, and every other that the person has for the same, in the transaction of what it does: whoever comes at the
 * same moment waits here and finds it used. NOT_FOUND when it is used or over,
 * or where it was sent is not the person's own.
 */
export async function useLink(
  tx: SqlTransaction,
  { linkId, subject, principalId }: DecisionLink,
): Promise<void> {
  const { organizationId } = tx.actor
  const good = await tx.sql<{ id: string }>(
    `select l.id from decision_link l join ${SENT_TO}
     where l.organization_id = $1::uuid and l.subject = $2 and l.principal_id = $3::uuid
       and l.used_at is null and l.expires_at > clock_timestamp() and ${MAKERS_OF_PLACE} is not null
     order by l.id for no key update of l`,
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
