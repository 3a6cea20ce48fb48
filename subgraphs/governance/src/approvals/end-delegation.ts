import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { DELEGATION_COLUMNS, type DelegationRow } from './delegation-row.ts'

const inputSchema = z.object({ id: z.string() })

/**
 * Ends a delegation before its time: by who lent, who got it, or an administrator. Again, it returns it. Events:
 * approval_delegation.ended. Audit: an execution. NOT_FOUND, also of what is others'.
 */
export async function endDelegation(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<DelegationRow> {
  const { id } = parseInput(inputSchema, input)
  const path = 'input.id'
  if (!isId(id)) fail('NOT_FOUND', { path })
  return database.inTenant(actor, async (tx) => {
    const [delegation] = await tx.sql<DelegationRow>(
      `select ${DELEGATION_COLUMNS} from approval_delegation
       where organization_id = $1::uuid and id = $2::uuid for no key update`,
      actor.organizationId,
      id,
    )
    if (!delegation || !concerns(delegation, actor)) fail('NOT_FOUND', { path })
    if (delegation.endedAt !== null) return delegation
    const [ended] = await tx.sql<DelegationRow>(
      `update approval_delegation set ended_at = clock_timestamp(), ended_by = $3::jsonb
       where organization_id = $1::uuid and id = $2::uuid returning ${DELEGATION_COLUMNS}`,
      actor.organizationId,
      id,
      JSON.stringify(actorRef(actor)),
    )
    await tx.appendEvent({
      type: 'approval_delegation.ended',
      subject: `approvalDelegation/${id}`,
      data: { delegationId: id, fromId: delegation.fromId, toId: delegation.toId },
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'governance',
      summary: 'The right to decide was taken back.',
      details: { context: { from: delegation.from, to: delegation.to }, outcome: 'ended' },
      significance: 'significant',
      subject: `approvalDelegation/${id}`,
    })
    return ended ?? fail('NOT_FOUND', { path })
  })
}

const concerns = ({ fromId, toId }: DelegationRow, actor: Actor): boolean =>
  fromId === actor.id || toId === actor.id || actor.roles.includes('admin')
