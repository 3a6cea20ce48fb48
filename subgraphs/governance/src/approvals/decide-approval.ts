import type { SqlTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { recordingRefusal } from '../audit/record-refusal.ts'
import type { DomainServices } from '../context.ts'
import type { DecisionLink } from '../links/decision-link.ts'
import { useLink } from '../links/use-link.ts'
import { jsonValue } from '../input/json-value.ts'
import { line, remark } from '../input/text.ts'
import { applyEffect } from './apply-effect.ts'
import type { ApprovalRow } from './approval-row.ts'
import { type DecisionRequest, judgeDecision, type LentAuthority } from './approval-status.ts'
import { requireFit } from './arguments-schema.ts'
import { DECISION_COLUMNS, type DecisionRow } from './decision-row.ts'
import { lockApproval } from './lock-approval.ts'
import { type KnownAuthority, namesOf } from './names-of.ts'
import { readLent, readOwn } from './read-standing.ts'
import { withoutGiven } from './without-given.ts'
import { writeDecision } from './write-decision.ts'

const VERDICTS = { APPROVE: 'approved', REJECT: 'rejected', REQUEST_CHANGES: 'changes_requested' } as const

const GIVEN = 'GIVEN: whoever asked or wrote it gave the role or the group since.'

const inputSchema = z
  .object({
    id: z.string(),
    decision: z.enum(['APPROVE', 'REJECT', 'REQUEST_CHANGES']),
    digest: line().nullish(),
    comment: remark().nullish(),
    finalArguments: jsonValue().nullish(),
    onBehalfOf: line().nullish(),
  })
  .superRefine(({ decision, finalArguments, comment }, check) => {
    if (decision !== 'APPROVE' && finalArguments != null)
      check.addIssue({ code: 'custom', path: ['finalArguments'], message: 'Only a yes has arguments.' })
    if (decision === 'REQUEST_CHANGES' && (comment ?? '').trim() === '')
      check.addIssue({ code: 'custom', path: ['comment'], message: 'Say what to change.' })
  })

/**
 * Decides an approval, each person once, however many click: the row's lock lets one through at a time, and whoever comes
 * after the end meets its outcome. `byLink`: it is done by a link, which is used up by it.
 *
 * Output: the approval after the decision. Events: approval.endorsed, approval.changes_requested or approval.decided, and
 * escalation.resolved. Audit: the decision; a refusal as a denial.
 * Errors: NOT_FOUND, SEPARATION_OF_DUTIES, NOT_A_DECIDER, CONFLICT (another digest), ALREADY_DECIDED, INVALID_STATE
 * (expired, withdrawn, changes asked for, no other arguments), BAD_INPUT.
 */
export async function decideApproval(
  services: DomainServices,
  actor: Actor,
  input: unknown,
  byLink: DecisionLink | null = null,
): Promise<ApprovalRow> {
  const { id, decision, comment, ...given } = parseInput(inputSchema, input)
  const request: DecisionRequest = {
    verdict: VERDICTS[decision],
    digest: given.digest ?? null,
    finalArguments: given.finalArguments ?? null,
    onBehalfOf: given.onBehalfOf ?? null,
  }
  const tried = { action: 'Mutation.decideApproval', subject: `approval/${id}`, denials: ['CONFLICT'] }
  return recordingRefusal(services, actor, tried, () =>
    services.database.inSql(actor, async (tx) => {
      if (byLink) await useLink(tx, byLink)
      return decide(tx, id, request, comment ?? null, byLink)
    }),
  )
}

async function decide(
  tx: SqlTransaction,
  id: string,
  request: DecisionRequest,
  comment: string | null,
  byLink: DecisionLink | null,
): Promise<ApprovalRow> {
  const { actor } = tx
  // One trip: each statement sees what is there when its turn comes, so the second what the lock was waited for.
  const read = <Row>(text: string, parameters: unknown[]) => tx.sql<Row>(text, ...parameters)
  const [approval, decisions, own] = await Promise.all([
    lockApproval(tx, id),
    decisionsOf(tx, id),
    readOwn(read, actor),
  ])
  // The same may have been asked anew: the digest is the same, and the link is of the round before.
  if (byLink && byLink.round !== approval.round) fail('CONFLICT', { path: 'link' })
  const counting = <Known extends KnownAuthority>(authority: Known) => withoutGiven(approval, authority)
  const judge = (by: KnownAuthority, lent: readonly LentAuthority[]) =>
    judgeDecision(approval, decisions, actor, { own: by, lent }, request)
  const alone = judge(counting(own), [])
  // Their own right comes before a lent one, which is read for those who have none: few, and it costs more than all the rest.
  const needsLent = alone.kind === 'refuse' && alone.code === 'NOT_A_DECIDER'
  const lent = needsLent ? await readLent(read, actor) : []
  const judgement = needsLent ? judge(counting(own), lent.map(counting)) : alone
  if (judgement.kind === 'refuse') {
    if (judgement.code === 'NOT_A_DECIDER' && judge(own, lent).kind !== 'refuse')
      fail('SEPARATION_OF_DUTIES', { hint: GIVEN })
    fail(judgement.code, judgement)
  }
  if (judgement.kind === 'repeat') return approval
  if (request.finalArguments !== null) requireFit(approval, request.finalArguments, 'input.finalArguments')
  const made = writeDecision(tx, approval, {
    verdict: request.verdict,
    personId: actor.id,
    onBehalfOfId: judgement.onBehalfOf,
    namedBy: namesOf(
      approval.stages[approval.stage],
      counting(lent.find((each) => each.id === judgement.onBehalfOf) ?? own),
    ),
    comment,
    finalArguments: request.finalArguments,
  })
  const [after] = await Promise.all([
    applyEffect(tx, approval, judgement.effect, {
      decidedBy: actorRef(actor),
      onBehalfOf: judgement.onBehalfOf === null ? null : (await made).onBehalfOf,
      comment,
      finalArguments: request.finalArguments,
      byLink: byLink?.linkId ?? null,
    }),
    made,
  ])
  return after
}

/**
 * Those of the round that is decided now, behind the approval's lock; in an order that the index by approval has: by their ids
 * alone, all that was ever decided would be read.
 */
async function decisionsOf(tx: SqlTransaction, id: string): Promise<DecisionRow[]> {
  if (!isId(id)) return []
  return tx.sql<DecisionRow>(
    `select ${DECISION_COLUMNS} from approval_decision
     where organization_id = $1::uuid and approval_id = $2::uuid
       and round = (select a.round from approval a where a.organization_id = $1::uuid and a.id = $2::uuid)
     order by approval_id, round, id`,
    tx.actor.organizationId,
    id,
  )
}
