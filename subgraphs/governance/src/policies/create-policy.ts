import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import type { DomainServices } from '../context.ts'
import { line } from '../input/text.ts'
import { oneOf, rulesSchema } from './policy-input.ts'
import { KINDS, POLICY_COLUMNS, type PolicyRow } from './policy-row.ts'
import { recordPolicyChange } from './record-policy-change.ts'
import { writePolicyVersion } from './write-policy-version.ts'

const MOST_POLICIES = 5_000

const nameSchema = z.object({ name: line(), kind: oneOf(KINDS) })

/**
 * Writes a policy down, as a draft: nothing is decided by it. Events: policy.changed. Audit: a decision. CONFLICT when
 * there is one of this name; BAD_INPUT with all mistakes; INVALID_STATE with 5,000 policies.
 */
export async function createPolicy(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<PolicyRow> {
  const { name, kind, ...rules } = parseInput(nameSchema.and(rulesSchema), input)
  return services.database.inTenant(actor, async (tx) => {
    const [count] = await tx.sql<{ many: boolean }>(
      `select count(*) >= ${MOST_POLICIES} as many from policy where organization_id = $1::uuid`,
      actor.organizationId,
    )
    if (count?.many) fail('INVALID_STATE', { path: 'input', message: `There are ${MOST_POLICIES} policies.` })
    const [policy] = await tx.sql<PolicyRow>(
      `insert into policy (organization_id, name, kind, created_by) values ($1::uuid, $2, $3, $4::jsonb)
       on conflict (organization_id, name) do nothing returning ${POLICY_COLUMNS}`,
      actor.organizationId,
      name,
      kind,
      JSON.stringify(actorRef(actor)),
    )
    if (!policy)
      return fail('CONFLICT', { path: 'input.name', hint: 'There is a policy of this name: updatePolicy.' })
    const version = await writePolicyVersion(tx, policy.id, rules)
    await recordPolicyChange(tx, policy, version, 'created')
    return policy
  })
}
