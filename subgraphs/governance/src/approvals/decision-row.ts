import type { ActorRef } from '../access/actor-ref.ts'
import type { CountedDecision } from './approval-status.ts'

/** What somebody decided of an approval. */
export interface DecisionRow extends CountedDecision {
  id: string
  approvalId: string
  round: number
  decidedBy: ActorRef
  onBehalfOf: ActorRef | null
  /** Of what was shown to them. */
  digest: string
  comment: string | null
  /** What was asked for until then, of a decision that asked for changes. */
  asked: unknown
  decidedAt: Date
}

/** {@link DecisionRow} of the table `approval_decision`. */
export const DECISION_COLUMNS = `id, approval_id as "approvalId", round, stage, verdict, person_id as "personId",
  on_behalf_of_id as "onBehalfOfId", decided_by as "decidedBy", on_behalf_of as "onBehalfOf", digest, comment,
  final_arguments as "finalArguments", asked, decided_at as "decidedAt"`
