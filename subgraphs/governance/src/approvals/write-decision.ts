import type { SqlTransaction } from '@tutti/prisma'
import { type ActorRef, actorRef } from '../access/actor-ref.ts'
import type { ApprovalRow } from './approval-row.ts'
import type { Verdict } from './approval-status.ts'

/** A decision as it is written; who decides is the transaction's actor. */
interface NewDecision {
  verdict: Verdict
  /** Null: nobody, the deadline's rule. */
  personId: string | null
  onBehalfOfId: string | null
  /** By which names the stage asks whose right it is; null: nobody decides. */
  namedBy: readonly string[] | null
  comment: string | null
  finalArguments: unknown
}

/** Writes a decision of a locked approval's stage. Output: who lent their right, as they were called when they lent it. */
export async function writeDecision(
  tx: SqlTransaction,
  approval: ApprovalRow,
  decision: NewDecision,
): Promise<{ onBehalfOf: ActorRef | null }> {
  const asked = decision.verdict === 'changes_requested' ? approval.arguments : null
  const [made] = await tx.sql<{ onBehalfOf: ActorRef | null }>(
    `insert into approval_decision (organization_id, approval_id, round, stage, verdict, person_id, decided_by,
       on_behalf_of_id, on_behalf_of, digest, comment, final_arguments, asked, named_by)
     values ($1::uuid, $2::uuid, $3::int, $4::int, $5, $6, $7::jsonb, $8,
       (select delegator from approval_delegation where organization_id = $1::uuid and from_id = $8 and to_id = $6
        order by id desc limit 1), $9, $10, $11::jsonb, $12::jsonb, $13::jsonb)
     returning on_behalf_of as "onBehalfOf"`,
    tx.actor.organizationId,
    approval.id,
    approval.round,
    approval.stage,
    decision.verdict,
    decision.personId,
    JSON.stringify(actorRef(tx.actor)),
    decision.onBehalfOfId,
    approval.digest,
    decision.comment,
    decision.finalArguments === null ? null : JSON.stringify(decision.finalArguments),
    asked === null ? null : JSON.stringify(asked),
    decision.namedBy === null ? null : JSON.stringify(decision.namedBy),
  )
  if (!made) throw new Error('An insert answered with no row.')
  return made
}
