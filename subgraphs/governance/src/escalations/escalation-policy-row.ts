import type { ActorRef } from '../access/actor-ref.ts'
import type { LevelRule } from './escalation-level.ts'

/** What a policy is for: everything, or what comes from one domain or team. */
export type PolicyScope = 'organization' | 'domain' | 'team'

/** A policy as its table keeps it. */
export interface EscalationPolicyRow {
  id: string
  scope: PolicyScope
  /** Of the organization, the domain or the team. */
  scopeId: string
  levels: LevelRule[]
  setBy: ActorRef
  updatedAt: Date
}

/** {@link EscalationPolicyRow} of the table `escalation_policy`. */
export const ESCALATION_POLICY_COLUMNS =
  'id, scope, scope_id as "scopeId", levels, set_by as "setBy", updated_at as "updatedAt"'
