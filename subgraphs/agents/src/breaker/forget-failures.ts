import type { TenantTransaction } from '@tutti/prisma'
import { BREAKER_COLUMNS, type BreakerRow } from './breaker-row.ts'
import { CLOSED } from './breaker-state.ts'
import { writeBreaker } from './write-breaker.ts'

/**
 * What failed so far says nothing about an agent any more, since it is called in another way: its breaker is closed. The
 * agent's row is locked by the caller. Events: breaker.closed, if it was not.
 */
export async function forgetFailures(
  tx: Pick<TenantTransaction, 'sql' | 'actor' | 'appendEvent'>,
  { id, name }: { id: string; name: string },
): Promise<void> {
  const [before] = await tx.sql<BreakerRow>(
    `select ${BREAKER_COLUMNS} from breaker where organization_id = $1::uuid and scope = 'agent' and subject = $2 for update`,
    tx.actor.organizationId,
    id,
  )
  if (!before || (before.state === 'closed' && before.failures.length === 0)) return
  await writeBreaker(tx, { scope: 'agent', subject: id, name }, before, CLOSED, { cause: 'reset' })
}
