import type { TenantTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { behind, requirePerson } from '../access/behind.ts'
import { recordingRefusal } from '../audit/record-refusal.ts'
import { rulesMemoryOf } from '../authority/rules-memory.ts'
import type { DomainServices } from '../context.ts'
import { remark } from '../input/text.ts'
import { lockPolicy } from './lock-policy.ts'
import { oneOf } from './policy-input.ts'
import { EXCEPTION_COLUMNS, type PolicyExceptionRow } from './policy-row.ts'
import { canExcept, isSame } from './policy-version-status.ts'
import { recordExceptionChange } from './record-exception-change.ts'

const inputSchema = z.object({
  id: z.string(),
  decision: oneOf(['approve', 'reject', 'revoke']),
  comment: remark().nullish(),
})

/** What an exception must be before, and is afterwards. */
const WAYS = {
  approve: { from: 'requested', to: 'approved' },
  reject: { from: 'requested', to: 'rejected' },
  revoke: { from: 'approved', to: 'revoked' },
} as const

/**
 * Approves an exception, turns it down, or takes one back that was approved. Only a person decides,
 * and approves it as somebody else than who asked, and not for themselves. Events: policy_exception.changed. Audit: a decision. NOT_FOUND, ALREADY_DECIDED,
 * INVALID_STATE (not approved, or it or its version is over by now), SEPARATION_OF_DUTIES (a denial).
 */
export async function decidePolicyException(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<PolicyExceptionRow> {
  const { id, decision, comment } = parseInput(inputSchema, input)
  const way = WAYS[decision]
  const tried = { action: 'Mutation.decidePolicyException', subject: `policyException/${id}` }
  const decided = await recordingRefusal(services, actor, tried, () =>
    services.database.inTenant(actor, async (tx) => {
      const found = await findException(tx, id)
      const { policy, versions } = await lockPolicy(tx, found.policyId)
      const exception = await findException(tx, id)
      if (exception.status !== way.from)
        fail(decision === 'revoke' ? 'INVALID_STATE' : 'ALREADY_DECIDED', {
          path: 'input.id',
          hint: `It is ${exception.status}.`,
        })
      requirePerson(actor, 'input.id')
      if (decision === 'approve') {
        if (isSame(actor, exception.requestedBy) || behind(actor).some((id) => exception.actors.includes(id)))
          fail('SEPARATION_OF_DUTIES', { path: 'input.id' })
        if (exception.expiresAt.getTime() <= Date.now())
          fail('INVALID_STATE', { path: 'input.id', hint: 'Its time is over.' })
        const version = versions.find(({ number }) => number === exception.version)
        if (!version || !canExcept(version))
          fail('INVALID_STATE', {
            path: 'input.id',
            hint: `It is from version ${exception.version}, which is over: requestPolicyException for the present one.`,
          })
      }
      const [after] = await tx.sql<PolicyExceptionRow>(
        `update policy_exception set status = $3, decided_by = $4::jsonb, comment = $5, decided_at = now()
       where organization_id = $1::uuid and id = $2::uuid returning ${EXCEPTION_COLUMNS}`,
        actor.organizationId,
        id,
        way.to,
        JSON.stringify(actorRef(actor)),
        comment ?? null,
      )
      if (!after) return fail('INTERNAL')
      await recordExceptionChange(tx, policy, after, way.to, comment ?? '')
      return after
    }),
  )
  rulesMemoryOf(services.database).forget(actor.organizationId)
  return decided
}

async function findException(tx: TenantTransaction, id: string): Promise<PolicyExceptionRow> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const [exception] = await tx.sql<PolicyExceptionRow>(
    `select ${EXCEPTION_COLUMNS} from policy_exception where organization_id = $1::uuid and id = $2::uuid`,
    tx.actor.organizationId,
    id,
  )
  return exception ?? fail('NOT_FOUND', { path: 'input.id' })
}
