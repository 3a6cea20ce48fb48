import type { TenantTransaction } from '@tutti/prisma'
import { fail, isAbout } from '@tutti/schema'
import type { PolicyVersionRow } from './policy-row.ts'
import { joinStages, MOST_TOGETHER } from './stage.ts'
import { beginOf, endOf, holdsAt, type VersionDates } from './version-dates.ts'

type Asking = Pick<PolicyVersionRow, 'actions' | 'stages'> & VersionDates

/**
 * That a version, as long as it is in force, asks with all policies in force that are about some of the same actions for no
 * more than an approval takes, whichever of them fit. To be called before it is approved; the next one waits for the end of
 * the transaction. INVALID_STATE.
 */
export async function requireFewStages(
  tx: TenantTransaction,
  candidate: Asking & Pick<PolicyVersionRow, 'policyId'>,
  now: Date,
): Promise<void> {
  const { policyId, actions, stages } = candidate
  if (stages.length === 0) return
  await tx.sql('select pg_advisory_xact_lock(hashtextextended($1, 46))::text', tx.actor.organizationId)
  const others = await tx.sql<Asking>(
    `select actions, stages, activated_at as "activatedAt", effective_from as "effectiveFrom",
       effective_until as "effectiveUntil", ended_at as "endedAt"
     from policy_version
     where organization_id = $1::uuid and status = 'active' and policy_id <> $2::uuid and stages <> '[]'::jsonb`,
    tx.actor.organizationId,
    policyId,
  )
  const alike = others.filter((each) => each.actions.some((one) => actions.some((other) => meet(one, other))))
  // It can become more only where it or another one begins.
  const begin = Math.max(now.getTime(), beginOf(candidate))
  const begins = alike.map(beginOf).filter((at) => begin < at && at < endOf(candidate))
  const together = Math.max(
    ...[begin, ...begins].map((at) => {
      const beside = alike.filter((each) => holdsAt(each, at)).map((each) => each.stages)
      return joinStages(stages, ...beside).length
    }),
  )
  if (together > MOST_TOGETHER)
    fail('INVALID_STATE', {
      path: 'input.id',
      message: `With the policies in force about the same actions it asks for ${together} stages; at most ${MOST_TOGETHER}.`,
      hint: 'Name the same roles, groups and people in several policies, or retire one.',
    })
}

/** Whether there can be an action that both patterns are about. */
const meet = (one: string, other: string): boolean => isAbout(one, other) || isAbout(other, one)
