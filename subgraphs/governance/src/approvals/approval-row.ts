import type { JsonSchema } from '@tutti/runtime'
import type { Risk } from '@tutti/schema'
import type { ActorRef } from '../access/actor-ref.ts'
import type { ApprovalStage, DeadlineRule } from './approval-stage.ts'
import type { ApprovalStatus } from './approval-status.ts'

/** An approval as it is now: one whose time has passed and that only expires by it is already `expired`. */
export interface ApprovalRow {
  id: string
  requestKey: string
  title: string
  action: string
  arguments: unknown
  digest: string
  /** A text, or JSON: what would come of it. */
  preview: unknown
  risk: Risk
  costUsd: number | null
  reason: string
  requestedBy: ActorRef
  /** Ids of those who wrote what is asked for: principals and agents. */
  authors: string[]
  runId: string | null
  taskId: string | null
  status: ApprovalStatus
  stages: ApprovalStage[]
  /** The stage that is decided now, from 0. */
  stage: number
  /** Grows when it is asked anew with other arguments. */
  round: number
  allowsChanges: boolean
  /** What other arguments must look like; null: as they like. */
  argumentsSchema: JsonSchema | null
  onDeadline: DeadlineRule
  /** Whether its deadline has passed and its rule has yet to be applied. */
  isDue: boolean
  decidedBy: ActorRef | null
  comment: string | null
  finalArguments: unknown
  /** The deadline of its stage. */
  expiresAt: Date | null
  closesAt: Date | null
  decidedAt: Date | null
  usedBy: string | null
  usedAt: Date | null
  createdAt: Date
}

/** {@link ApprovalRow} of the table `approval`. Expiry is read on the database's clock, before any sweep comes by. */
export const APPROVAL_COLUMNS = `id, request_key as "requestKey", title, action, arguments, digest, preview, risk,
  cost_usd as "costUsd", reason, requested_by as "requestedBy", authors, run_id as "runId", task_id as "taskId",
  case when status in ('pending', 'changes_requested') and on_deadline = 'expire' and expires_at <= clock_timestamp()
    then 'expired' else status end as status,
  stages, stage, round, allows_changes as "allowsChanges",
  arguments_schema as "argumentsSchema", on_deadline as "onDeadline",
  coalesce(status in ('pending', 'changes_requested') and expires_at <= clock_timestamp(), false) as "isDue",
  decided_by as "decidedBy", comment, final_arguments as "finalArguments", expires_at as "expiresAt",
  closes_at as "closesAt", decided_at as "decidedAt", used_by as "usedBy", used_at as "usedAt",
  created_at as "createdAt"`
