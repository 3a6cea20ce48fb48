import { type Actor, canonicalJson, type ErrorCode, isAbout } from '@tutti/schema'
import type { ActorRef } from '../access/actor-ref.ts'
import { behind, isPerson } from '../access/behind.ts'
import type { ApprovalStage, DeadlineRule } from './approval-stage.ts'

/**
 * `pending` ends as `approved` when its last stage has its quorum, as `rejected` by one no, as `expired` by time (by its
 * rule also approved or rejected), or as `withdrawn` when the task ends that it was asked for; these are final.
 * `changes_requested` waits for who asked, and is pending again when they ask anew.
 */
export type ApprovalStatus =
  | 'pending'
  | 'changes_requested'
  | 'approved'
  | 'rejected'
  | 'expired'
  | 'withdrawn'
export type Verdict = 'approved' | 'rejected' | 'changes_requested'

/** What a decision is judged by. */
export interface DecidableApproval {
  status: ApprovalStatus
  action: string
  digest: string
  requestedBy: ActorRef
  authors: readonly string[]
  stages: readonly ApprovalStage[]
  stage: number
  round: number
  allowsChanges: boolean
  onDeadline: DeadlineRule
  isDue: boolean
}

/** A decision of this round that counts already. */
export interface CountedDecision {
  stage: number
  verdict: Verdict
  /** Null: a stage whose deadline decided. */
  personId: string | null
  onBehalfOfId: string | null
  finalArguments: unknown
}

/** What a person decides by: their own names, or another's who lent them. */
export interface Authority {
  id: string
  roles: readonly string[]
  groups: readonly string[]
  teamIds: readonly string[]
}

/** Another's authority, for these actions and teams (none: all). */
export interface LentAuthority extends Authority {
  actions: readonly string[]
  forTeamIds: readonly string[]
  /** Who made the keys by which it was lent, by id. */
  credentialBy: string[]
}

/** By what somebody may decide at this moment. */
export interface Standing {
  own: Authority
  lent: readonly LentAuthority[]
}

/** What somebody wants to decide. */
export interface DecisionRequest {
  verdict: Verdict
  digest: string | null
  /** Null: those that were asked for. */
  finalArguments: unknown
  /** For whom, when it is not for oneself; null: for whom it can be. */
  onBehalfOf: string | null
}

type Decider = Pick<Actor, 'id' | 'kind' | 'agentId' | 'credentialBy'>
type Status = { status: ApprovalStatus }

/** Whether it still waits for somebody to decide. */
export const isPending = ({ status }: Status): boolean => status === 'pending'

/** Whether it waits for who asked. */
export const wantsChanges = ({ status }: Status): boolean => status === 'changes_requested'

/** Whether it is not over yet. */
export const isOpen = (approval: Status): boolean => isPending(approval) || wantsChanges(approval)

/** Whether somebody, or its deadline's rule, said yes or no. */
export const isDecided = ({ status }: Status): boolean => status === 'approved' || status === 'rejected'

/** Whether what it asked for may be done. */
export const isApproved = ({ status }: Status): boolean => status === 'approved'

/** Whether its time passed before it was decided. */
export const isExpired = ({ status }: Status): boolean => status === 'expired'

/** Whether what it was asked for ended before it was decided. */
export const isWithdrawn = ({ status }: Status): boolean => status === 'withdrawn'

/** Whether its deadline's rule decides now, and nobody else. */
export const isLate = ({ isDue, onDeadline }: Pick<DecidableApproval, 'isDue' | 'onDeadline'>): boolean =>
  isDue && onDeadline !== 'escalate'

/** Whether one person alone decides it. */
export const isDecidedByOne = ({ stages }: Pick<DecidableApproval, 'stages'>): boolean =>
  stages.reduce((sum, { needed }) => sum + needed, 0) === 1

/** Whether the stage names somebody of these roles, groups and teams, or the person. */
export function namesAuthority(stage: ApprovalStage | undefined, by: Authority): boolean {
  if (!stage) return false
  return (
    stage.people.includes(by.id) ||
    stage.roles.some((role) => by.roles.includes(role)) ||
    stage.groups.some((group) => by.groups.includes(group)) ||
    stage.teamIds.some((team) => by.teamIds.includes(team))
  )
}

/**
 * Separation of duties: nobody decides what they asked for or wrote, under whichever credential, nor what the agent they
 * act for did, nor by a key that one of those made for somebody else; and a person alone decides anything. Null: they may;
 * else why not, in a word and a sentence.
 */
export function conflictOf(
  { requestedBy, authors }: Pick<DecidableApproval, 'requestedBy' | 'authors'>,
  decider: Decider,
): string | null {
  if (!isPerson(decider)) return 'AGENT: a person decides.'
  if (decider.id === requestedBy.id || decider.id === requestedBy.agentId)
    return 'REQUESTER: whoever asked cannot decide.'
  if (authors.includes(decider.id)) return 'AUTHOR: whoever wrote it cannot decide.'
  const mine = [requestedBy.id, requestedBy.agentId, ...authors]
  return behind(decider).some((id) => mine.includes(id))
    ? 'KEY: whoever asked or wrote it made the key by which it is decided.'
    : null
}

/** Whether they took part in this round: as who decided, or as whose right was used. */
export const tookPart = (decisions: readonly CountedDecision[], id: string): boolean =>
  decisions.some(({ personId, onBehalfOfId }) => personId === id || onBehalfOfId === id)

/** Whether the decider said exactly this before, in this round. */
export function isRepeat(
  decisions: readonly CountedDecision[],
  decider: Pick<Actor, 'id'>,
  { verdict, finalArguments, onBehalfOf }: DecisionRequest,
): boolean {
  return decisions.some(
    (each) =>
      each.personId === decider.id &&
      each.verdict === verdict &&
      (onBehalfOf === null || onBehalfOf === (each.onBehalfOfId ?? each.personId)) &&
      canonicalJson(each.finalArguments ?? null) === canonicalJson(finalArguments ?? null),
  )
}

/** What a decision does. */
export type Effect =
  /** The approval ends so, or goes back. */
  | { kind: 'end'; verdict: Verdict }
  /** It counts, and its stage needs more. */
  | { kind: 'count' }
  /** The stage is done: on to this one. */
  | { kind: 'advance'; stage: number }

export type Refusal = { kind: 'refuse'; code: ErrorCode; path?: string; hint?: string }
export type Judgement =
  | { kind: 'apply'; effect: Effect; onBehalfOf: string | null }
  | { kind: 'repeat' }
  | Refusal

/** What becomes of a decision: applied, answered as a repeat, or refused and why. Pure. */
export function judgeDecision(
  approval: DecidableApproval,
  decisions: readonly CountedDecision[],
  decider: Decider,
  standing: Standing,
  request: DecisionRequest,
): Judgement {
  const conflict = conflictOf(approval, decider)
  if (conflict !== null) return { kind: 'refuse', code: 'SEPARATION_OF_DUTIES', hint: conflict }
  const other = judgeDigest(approval, request)
  if (other) return other
  if (isRepeat(decisions, decider, request)) return { kind: 'repeat' }
  const late = judgeState(approval)
  if (late) return late
  if (behind(decider).some((id) => tookPart(decisions, id))) {
    const hint = tookPart(decisions, decider.id)
      ? 'ALREADY_TOOK_PART: another person has to decide.'
      : 'KEY: whoever took part already made the key by which it is decided.'
    return { kind: 'refuse', code: 'SEPARATION_OF_DUTIES', hint }
  }
  const right = findRight(approval, decisions, standing, request.onBehalfOf)
  if (right.kind === 'refuse') return right
  if (request.finalArguments !== null && !(approval.allowsChanges && isDecidedByOne(approval))) {
    const hint = approval.allowsChanges
      ? 'Several decide on the same: ask for changes.'
      : 'It allows no other arguments: ask for changes.'
    return { kind: 'refuse', code: 'INVALID_STATE', path: 'input.finalArguments', hint }
  }
  return {
    kind: 'apply',
    effect: effectOf(approval, decisions, request.verdict),
    onBehalfOf: right.onBehalfOf,
  }
}

function judgeDigest({ digest, round }: DecidableApproval, request: DecisionRequest): Refusal | null {
  if (request.digest === digest) return null
  if (request.digest === null && round === 1) return null
  const hint =
    request.digest === null
      ? 'It was asked anew with other arguments: say the digest that was shown to you.'
      : 'Something else was shown to you than what is asked.'
  return { kind: 'refuse', code: 'CONFLICT', path: 'input.digest', hint }
}

function judgeState(approval: DecidableApproval): Refusal | null {
  if (isDecided(approval)) return { kind: 'refuse', code: 'ALREADY_DECIDED' }
  const refuse = (hint: string): Refusal => ({ kind: 'refuse', code: 'INVALID_STATE', hint })
  if (isExpired(approval)) return refuse('EXPIRED: its time has passed.')
  if (isWithdrawn(approval)) return refuse('WITHDRAWN: what it was asked for has ended.')
  if (wantsChanges(approval)) return refuse('CHANGES_REQUESTED: it waits for who asked.')
  return isLate(approval) ? refuse('DUE: its time has passed, and its rule decides.') : null
}

/** By whose right they decide: their own before another's, each in the order lent. */
function findRight(
  approval: DecidableApproval,
  decisions: readonly CountedDecision[],
  { own, lent }: Standing,
  onBehalfOf: string | null,
): { kind: 'right'; onBehalfOf: string | null } | Refusal {
  const stage = approval.stages[approval.stage]
  if ((onBehalfOf === null || onBehalfOf === own.id) && namesAuthority(stage, own))
    return { kind: 'right', onBehalfOf: null }
  const rights = lent.filter(
    (each) => (onBehalfOf === null || onBehalfOf === each.id) && lendsFor(approval, each),
  )
  const free = rights.find((each) => mayBeDecidedFor(approval, decisions, each))
  if (free) return { kind: 'right', onBehalfOf: free.id }
  return rights.length === 0
    ? { kind: 'refuse', code: 'NOT_A_DECIDER' }
    : {
        kind: 'refuse',
        code: 'SEPARATION_OF_DUTIES',
        path: 'input.onBehalfOf',
        hint: 'ON_BEHALF: whose right it is, or who made the key by which it was lent, asked for it, wrote it, or took part.',
      }
}

/** Whether the right that was lent is for this approval's stage, action and teams. */
export function lendsFor(approval: DecidableApproval, lent: LentAuthority): boolean {
  const stage = approval.stages[approval.stage]
  if (!stage || !namesAuthority(stage, lent)) return false
  if (lent.actions.length > 0 && !lent.actions.some((pattern) => isAbout(pattern, approval.action)))
    return false
  return lent.forTeamIds.length === 0 || stage.teamIds.some((team) => lent.forTeamIds.includes(team))
}

const mayBeDecidedFor = (
  approval: DecidableApproval,
  decisions: readonly CountedDecision[],
  { id, credentialBy }: Pick<LentAuthority, 'id' | 'credentialBy'>,
): boolean =>
  conflictOf(approval, { id, kind: 'person', credentialBy }) === null &&
  !behind({ id, credentialBy }).some((each) => tookPart(decisions, each))

function effectOf(
  approval: DecidableApproval,
  decisions: readonly CountedDecision[],
  verdict: Verdict,
): Effect {
  if (verdict !== 'approved') return { kind: 'end', verdict }
  const needed = approval.stages[approval.stage]?.needed ?? 1
  const given = decisions.filter((each) => each.stage === approval.stage && each.personId !== null).length
  return given + 1 < needed ? { kind: 'count' } : afterStage(approval)
}

/** What comes when a stage is done: the next one, or a yes. */
export function afterStage({ stages, stage }: Pick<DecidableApproval, 'stages' | 'stage'>): Effect {
  return stage + 1 < stages.length
    ? { kind: 'advance', stage: stage + 1 }
    : { kind: 'end', verdict: 'approved' }
}

/**
 * Who may ask anew: who asked, or whoever acts for the agent that did; its authors, who cannot decide it anyway. Of what the
 * platform asked, and of what an agent did and nobody else is an author of, any person.
 */
export function mayResubmit(
  { requestedBy, authors }: Pick<DecidableApproval, 'requestedBy' | 'authors'>,
  actor: Decider,
): boolean {
  if (actor.id === requestedBy.id || authors.includes(actor.id)) return true
  const agent = actor.agentId ?? (actor.kind === 'agent' ? actor.id : undefined)
  if (agent !== undefined) return agent === requestedBy.agentId || agent === requestedBy.id
  return requestedBy.kind === 'system' || (requestedBy.kind === 'agent' && authors.length === 0)
}
