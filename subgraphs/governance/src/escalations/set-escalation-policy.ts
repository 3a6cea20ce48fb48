import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { optionalId } from '../input/text.ts'
import { ladderSchema } from './escalation-level.ts'
import {
  ESCALATION_POLICY_COLUMNS,
  type EscalationPolicyRow,
  type PolicyScope,
} from './escalation-policy-row.ts'
import { requireResponsibles } from './require-responsibles.ts'

const inputSchema = z
  .object({ domainId: optionalId(), teamId: optionalId(), levels: ladderSchema })
  .refine(({ domainId, teamId }) => domainId == null || teamId == null, {
    path: ['teamId'],
    message: 'It is for a domain or for a team, not for both.',
  })

/** What a policy is for, by what a caller names: a team, a domain, or neither. */
function scopeOf(
  actor: Actor,
  { domainId, teamId }: { domainId?: string | null | undefined; teamId?: string | null | undefined },
): { scope: PolicyScope; scopeId: string } {
  if (teamId != null) return { scope: 'team', scopeId: teamId.toLowerCase() }
  if (domainId != null) return { scope: 'domain', scopeId: domainId.toLowerCase() }
  return { scope: 'organization', scopeId: actor.organizationId }
}

/**
 * Says who is responsible on each level and until when; what was said before of the same is replaced. What is escalated
 * already keeps its deadlines until it moves. Events: escalation_policy.changed. Audit: a decision. BAD_INPUT with all
 * mistakes; NOT_FOUND for a person or a schedule that there is not.
 */
export async function setEscalationPolicy(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<EscalationPolicyRow> {
  const { levels, ...place } = parseInput(inputSchema, input)
  const { scope, scopeId } = scopeOf(actor, place)
  return database.inTenant(actor, async (tx) => {
    await requireResponsibles(
      tx,
      levels.map(({ responsible }, index) => ({
        ...responsible,
        path: `input.levels.${index}.responsible.name`,
      })),
    )
    const [row] = await tx.sql<EscalationPolicyRow>(
      `insert into escalation_policy (organization_id, scope, scope_id, levels, set_by)
       values ($1::uuid, $2, $3::uuid, $4::jsonb, $5::jsonb)
       on conflict (organization_id, scope, scope_id)
         do update set levels = excluded.levels, set_by = excluded.set_by, updated_at = now()
       returning ${ESCALATION_POLICY_COLUMNS}`,
      actor.organizationId,
      scope,
      scopeId,
      JSON.stringify(levels),
      JSON.stringify(actorRef(actor)),
    )
    if (!row) throw new Error('An insert answered with no row.')
    await tx.appendEvent({
      type: 'escalation_policy.changed',
      subject: `escalationPolicy/${row.id}`,
      data: { scope, scopeId, change: 'set' },
    })
    await writeAuditEntry(tx, {
      actionType: 'decision',
      domain: 'governance',
      summary: `Escalation policy of ${scope} ${scopeId} was set.`,
      details: { context: { scope, scopeId, levels }, decision: 'set', outcome: 'in force' },
      significance: 'compliance',
      subject: `escalationPolicy/${row.id}`,
    })
    return row
  })
}
