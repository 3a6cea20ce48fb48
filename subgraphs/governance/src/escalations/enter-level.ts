import type { SqlTransaction, TenantTransaction } from '@tutti/prisma'
import type { ActorRef } from '../access/actor-ref.ts'
import { readOnCall } from '../on-call/on-call.ts'
import { findPerson } from '../on-call/person-of.ts'
import type { LevelRule, Responsible } from './escalation-level.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'

/** The one person who is responsible at this moment; null where it is everybody of a role or group, or nobody any more. */
export async function assigneeOf(tx: SqlTransaction, { kind, name }: Responsible): Promise<ActorRef | null> {
  if (kind === 'person') return findPerson(tx, name)
  if (kind !== 'schedule') return null
  const found = await readOnCall(
    (text, parameters) => tx.sql(text, ...parameters),
    tx.actor.organizationId,
    name,
  )
  return found && findPerson(tx, found.personId)
}

/**
 * Makes others responsible for a locked escalation: its level's times begin anew by the database's clock, and nobody has
 * taken it on.
 */
export async function enterLevel(
  tx: TenantTransaction,
  id: string,
  { level, responsible, acknowledgeWithinSeconds, resolveWithinSeconds }: LevelRule,
  assignedTo: ActorRef | null,
): Promise<EscalationRow> {
  const [row] = await tx.sql<EscalationRow>(
    `update escalation set level = $3, responsible = $4::jsonb, assigned_to = $5::jsonb, status = 'open',
       acknowledged_by = null, acknowledged_at = null, turn = turn + 1, exhausted_at = null,
       acknowledge_by = clock_timestamp() + make_interval(secs => $6::float8),
       resolve_by = clock_timestamp() + make_interval(secs => $7::float8),
       due_at = clock_timestamp() + make_interval(secs => least($6::float8, $7::float8))
     where organization_id = $1::uuid and id = $2::uuid returning ${ESCALATION_COLUMNS}`,
    tx.actor.organizationId,
    id,
    level,
    JSON.stringify(responsible),
    assignedTo && JSON.stringify(assignedTo),
    acknowledgeWithinSeconds,
    resolveWithinSeconds,
  )
  if (!row) throw new Error('A locked escalation is gone.')
  return row
}
