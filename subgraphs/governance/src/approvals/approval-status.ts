import { type Actor, canonicalJson, type ErrorCode } from '@tutti/schema'
import type { ActorRef } from '../access/actor-ref.ts'

/**
 * `pending` ends as `approved` or `rejected` by one decision, as `expired` by time, or as `withdrawn` when the task ends
 * that it was asked for; the ends are final.
 */
export type ApprovalStatus = 'pending' | 'approved' | 'rejected' | 'expired' | 'withdrawn'
export type Verdict = 'approved' | 'rejected'

/** What a decision is judged by. */
export interface DecidableApproval {
  status: ApprovalStatus
  digest: string
  requestedBy: ActorRef
  decidedBy: ActorRef | null
  finalArguments: unknown
}

/** What somebody wants to decide. */
export interface DecisionRequest {
  verdict: Verdict
  digest: string | null
  /** Null: those that were asked for. */
  finalArguments: unknown
}

/** Whether it still waits for somebody. */
export const isPending = ({ status }: { status: ApprovalStatus }): boolean => status === 'pending'

/** Whether somebody said yes or no. */
export const isDecided = ({ status }: { status: ApprovalStatus }): boolean =>
  status === 'approved' || status === 'rejected'

/** Whether its time passed before anybody decided. */
export const isExpired = ({ status }: { status: ApprovalStatus }): boolean => status === 'expired'

/** Whether what it was asked for ended before anybody decided. */
export const isWithdrawn = ({ status }: { status: ApprovalStatus }): boolean => status === 'withdrawn'

/**
 * Separation of duties: nobody decides what they asked for, under whichever credential, nor what the agent they act
 * for asked for; and no agent decides what an agent or the platform on its behalf asked of a person.
 */
export function mayDecide(
  { requestedBy }: Pick<DecidableApproval, 'requestedBy'>,
  decider: Pick<Actor, 'id' | 'kind' | 'agentId'>,
): boolean {
  if (decider.id === requestedBy.id) return false
  const ofDecider = decider.agentId ?? (decider.kind === 'agent' ? decider.id : undefined)
  if (ofDecider !== undefined && (ofDecider === requestedBy.agentId || ofDecider === requestedBy.id))
    return false
  if (requestedBy.agentId === decider.id) return false
  return !(decider.kind === 'agent' && ['agent', 'system'].includes(requestedBy.kind))
}

/** Whether the decider said exactly this before. */
export function isRepeat(
  approval: DecidableApproval,
  decider: Pick<Actor, 'id'>,
  { verdict, finalArguments }: DecisionRequest,
): boolean {
  return (
    approval.status === verdict &&
    approval.decidedBy?.id === decider.id &&
    canonicalJson(approval.finalArguments ?? null) === canonicalJson(finalArguments ?? null)
  )
}

export type Judgement =
  | { kind: 'apply' }
  | { kind: 'repeat' }
  | { kind: 'refuse'; code: ErrorCode; path?: string; hint?: string }

/** What becomes of a decision: applied, answered as a repeat, or refused and why. Pure. */
export function judgeDecision(
  approval: DecidableApproval,
  decider: Pick<Actor, 'id' | 'kind' | 'agentId'>,
  request: DecisionRequest,
): Judgement {
  if (!mayDecide(approval, decider)) return { kind: 'refuse', code: 'SEPARATION_OF_DUTIES' }
  if (request.digest !== null && request.digest !== approval.digest) {
    return {
      kind: 'refuse',
      code: 'CONFLICT',
      path: 'input.digest',
      hint: 'Something else was shown to you than what is asked.',
    }
  }
  if (isRepeat(approval, decider, request)) return { kind: 'repeat' }
  if (isDecided(approval)) return { kind: 'refuse', code: 'ALREADY_DECIDED' }
  if (isExpired(approval))
    return { kind: 'refuse', code: 'INVALID_STATE', hint: 'EXPIRED: its time has passed.' }
  if (isWithdrawn(approval))
    return { kind: 'refuse', code: 'INVALID_STATE', hint: 'WITHDRAWN: what it was asked for has ended.' }
  return { kind: 'apply' }
}
