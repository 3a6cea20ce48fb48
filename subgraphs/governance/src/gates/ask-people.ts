import type { JsonSchema } from '@tutti/runtime'
import { type Actor, type Risk } from '@tutti/schema'
import { APPROVAL_COLUMNS, type ApprovalRow } from '../approvals/approval-row.ts'
import { requestApproval, type RequestApprovalInput } from '../approvals/request-approval.ts'
import type { Authorization } from '../authority/rule.ts'
import type { DomainServices } from '../context.ts'
import { openEscalation } from '../escalations/open-escalation.ts'
import { authorsOf, MOST_AUTHORS } from './authors-of.ts'

/** What people are asked about something governed. */
export interface GovernedQuestion {
  requestKey: string
  title: string
  action: string
  arguments: unknown
  risk: Risk | null
  costUsd: number | null
  reason: string
  allowsChanges?: boolean
  /** What other arguments must look like. */
  argumentsSchema?: JsonSchema
  /** None: whoever approves in general. */
  stages: NonNullable<RequestApprovalInput['stages']>
  runId: string | null
  taskId: string | null
}

/**
 * Asks people for what a ruling says that they must be asked for: by an approval, or by an escalation with one. Whoever had
 * it done, or a hand in what it is done with, does not decide it. Events: approval.requested, escalation.opened.
 */
export async function askPeople(
  services: DomainServices,
  actor: Actor,
  { ruling, escalateTo }: Pick<Authorization, 'ruling' | 'escalateTo'>,
  { requestKey, runId, taskId, ...question }: GovernedQuestion,
): Promise<ApprovalRow> {
  const starter = actor.onBehalfOf?.kind === 'person' ? [actor.onBehalfOf.id] : []
  const hands = runId === null ? [] : await authorsOf(services, actor, runId, taskId)
  const asked = {
    ...question,
    authors: [...new Set([...starter, ...hands])].slice(0, MOST_AUTHORS),
    stages: question.stages.length > 0 ? question.stages : null,
  }
  if (ruling !== 'escalate') return requestApproval(services, actor, { ...asked, requestKey, runId, taskId })
  const { approvalId } = await openEscalation(services, actor, {
    requestKey,
    title: asked.title,
    reason: asked.reason,
    level: escalateTo ?? 'domain',
    runId,
    taskId,
    approval: asked,
  })
  const [approval] = approvalId ? await readApprovals(services, actor, 'id', [approvalId]) : []
  if (!approval) throw new Error('An escalation asks for no decision.')
  return approval
}

/** Approvals by their ids or request keys. */
export function readApprovals(
  { database }: DomainServices,
  actor: Actor,
  by: 'id' | 'request_key',
  values: readonly string[],
): Promise<ApprovalRow[]> {
  return database.readTenant<ApprovalRow>(
    actor,
    `select ${APPROVAL_COLUMNS} from approval where organization_id = $1 and ${by}::text = any($2)`,
    [actor.organizationId, values],
  )
}
