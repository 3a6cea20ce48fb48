import type { TenantTransaction } from '@tutti/prisma'
import { fail, isAbout } from '@tutti/schema'
import type { PolicyVersionRow } from './policy-row.ts'
import { joinStages, MOST_TOGETHER } from './stage.ts'

type Asking = Pick<PolicyVersionRow, 'actions' | 'stages'>

/**
 * That a version, once in force, asks with all policies in force that are about some of the same actions for no more than an
 * approval takes, whichever of them fit. To be called before it comes into force; the next one waits for the end of the transaction.
 * INVALID_STATE.
 */
export async function requireFewStages(
  tx: TenantTransaction,
  { policyId, actions, stages }: Asking & Pick<PolicyVersionRow, 'policyId'>,
): Promise<void> {
  if (stages.length === 0) return
  await tx.sql('select pg_advisory_xact_lock(hashtextextended($1, 46))::text', tx.actor.organizationId)
  const others = await tx.sql<Asking>(
    `select actions, stages from policy_version
     where organization_id = $1::uuid and status = 'active' and policy_id <> $2::uuid and stages <> '[]'::jsonb`,
    tx.actor.organizationId,
    policyId,
  )
  const alike = others.filter((each) => each.actions.some((one) => actions.some((other) => meet(one, other))))
  const together = joinStages(stages, ...alike.map((each) => each.stages)).length
  if (together > MOST_TOGETHER)
    fail('INVALID_STATE', {
      path: 'input.id',
      message: `With the policies in force about the same actions it asks for ${together} stages; at most ${MOST_TOGETHER}.`,
      hint: 'Name the same roles, groups and people in several policies, or retire one.',
    })
}

/** Whether there can be an action that both patterns are about. */
const meet = (one: string, other: string): boolean => isAbout(one, other) || isAbout(other, one)
