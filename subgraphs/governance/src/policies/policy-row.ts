import type { ActorRef } from '../access/actor-ref.ts'
import type { Higher } from '../authority/levels.ts'
import type { Effect } from './compile-policies.ts'
import type { VersionStatus } from './policy-version-status.ts'
import type { Stage } from './stage.ts'

export const KINDS = ['access', 'quality', 'communication', 'resources'] as const
export type PolicyKind = (typeof KINDS)[number]

/** A policy; what it says is in its versions. */
export interface PolicyRow {
  id: string
  name: string
  kind: PolicyKind
  createdBy: ActorRef
  createdAt: Date
}

/** The columns of {@link PolicyRow}. */
export const POLICY_COLUMNS = 'id, name, kind, created_by as "createdBy", created_at as "createdAt"'

/** What a version says. */
export interface PolicyRules {
  description: string
  actions: string[]
  condition: string | null
  effect: Effect
  stages: Stage[]
  escalateTo: Higher | null
  redact: string[]
  priority: number
  effectiveFrom: Date | null
  effectiveUntil: Date | null
}

export interface PolicyVersionRow extends PolicyRules {
  id: string
  policyId: string
  number: number
  status: VersionStatus
  /** It says that the policy holds no more: nothing takes its place. Its rules are those that end. */
  retires: boolean
  writtenBy: ActorRef
  submittedBy: ActorRef | null
  reviewedBy: ActorRef | null
  reviewComment: string | null
  createdAt: Date
  activatedAt: Date | null
  endedAt: Date | null
}

/** Where a version of `policy_version v` stands at this moment: of one that was approved its dates say it. */
export const VERSION_STATUS = `case when v.status <> 'active' then v.status
    when least(v.effective_until, v.ended_at) <= now() then 'retired'
    when v.effective_from > now() then 'scheduled' else 'active' end`

/** The columns of {@link PolicyVersionRow}, of `policy_version v`. */
export const VERSION_COLUMNS = `v.id, v.policy_id as "policyId", v.number, ${VERSION_STATUS} as status, v.retires, v.description, v.actions, v.condition,
  v.effect, v.stages, v.escalate_to as "escalateTo", v.redact, v.priority, v.effective_from as "effectiveFrom",
  v.effective_until as "effectiveUntil", v.written_by as "writtenBy", v.submitted_by as "submittedBy",
  v.reviewed_by as "reviewedBy", v.review_comment as "reviewComment", v.created_at as "createdAt",
  v.activated_at as "activatedAt",
  case when v.status = 'active' then least(v.effective_until, v.ended_at) else v.ended_at end as "endedAt"`

export interface PolicyExceptionRow {
  id: string
  policyId: string
  /** The number of the version from which it is an exception; of another one it is none. */
  version: number
  status: 'requested' | 'approved' | 'rejected' | 'revoked'
  reason: string
  actors: string[]
  actions: string[]
  resources: string[]
  startsAt: Date | null
  expiresAt: Date
  requestedBy: ActorRef
  decidedBy: ActorRef | null
  comment: string | null
  createdAt: Date
  decidedAt: Date | null
}

/** The columns of {@link PolicyExceptionRow}. */
export const EXCEPTION_COLUMNS = `id, policy_id as "policyId", version, status, reason, actors, actions, resources,
  starts_at as "startsAt", expires_at as "expiresAt", requested_by as "requestedBy", decided_by as "decidedBy", comment,
  created_at as "createdAt", decided_at as "decidedAt"`
