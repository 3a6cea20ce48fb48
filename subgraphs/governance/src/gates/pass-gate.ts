import type { TenantTransaction } from '@tutti/prisma'
import type { JsonSchema } from '@tutti/runtime'
import { type Actor, isRecord } from '@tutti/schema'
import { isPending, wantsChanges } from '../approvals/approval-status.ts'
import type { ApprovalRow } from '../approvals/approval-row.ts'
import { digestOf } from '../approvals/digest-of.ts'
import { approvedDigest, useApproval } from '../approvals/use-approval.ts'
import { recordAlone } from '../audit/record-alone.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { type AuthorizationQuestion, authorize } from '../authority/authorize.ts'
import { decisionLogOf } from '../authority/decision-log.ts'
import type { Authorization } from '../authority/rule.ts'
import type { DomainServices } from '../context.ts'
import { redact } from '../policies/redact.ts'
import { askPeople, readApprovals } from './ask-people.ts'

/** Something governed that is about to be done by a task. */
export interface Gate {
  /** The same for every attempt at the same thing. */
  key: string
  /** What is asked of people, in a line. */
  title: string
  /** Where in the work it stands, for the record. */
  place: string
  runId: string
  taskId: string
  question: AuthorizationQuestion & { arguments: Readonly<Record<string, unknown>> }
  /** What becomes of a question that nobody answers in time. */
  deadline?: { seconds: number; rule: 'escalate' | 'expire' | 'reject' } | undefined
  /** What arguments must look like that people put in the place of those asked for. */
  argumentsSchema?: JsonSchema | undefined
}

/** Why something governed was not done. */
export type Obstacle = 'denied' | 'rejected' | 'undecided' | 'changed'

/** It may be done with these arguments and no others; people are asked first; or it is not done. */
export type Passage =
  | { type: 'passed'; arguments: Record<string, unknown>; approvalId: string | null }
  | { type: 'waiting'; approvalId: string }
  | { type: 'stopped'; why: Obstacle; reason: string }

/**
 * Asks authority and policies whether a task may do something now, and people where they say so. To be called before every
 * attempt: a yes of earlier counts only as long as nobody forbids it since, once, and for exactly what was approved.
 * Events: approval.requested, escalation.opened, approval.used, authority.informed. Audit: what was let through with the
 * versions of what ruled, and a denial of what was not.
 */
export async function passGate(services: DomainServices, actor: Actor, gate: Gate): Promise<Passage> {
  const authorization = await authorize(services, actor, gate.question)
  await decisionLogOf(services.database).flush()
  const { ruling, reasons } = authorization
  if (ruling === 'deny') return stop(services, actor, gate, authorization, 'denied', reasons.join(' '))
  if (ruling === 'allow') return letThrough(services, actor, gate, authorization, null)
  const approval = await ask(services, actor, gate, authorization)
  if (!(await isAbout(services, actor, approval, gate)))
    return stop(services, actor, gate, authorization, 'changed', 'Something else was asked for.')
  if (isPending(approval) || wantsChanges(approval)) return { type: 'waiting', approvalId: approval.id }
  const digest = approvedDigest(approval)
  if (digest === null) {
    const isRefused = approval.status === 'rejected'
    const reason = isRefused ? (approval.comment ?? 'Somebody said no.') : 'Nobody decided in time.'
    return stop(services, actor, gate, authorization, isRefused ? 'rejected' : 'undecided', reason)
  }
  const use = await useApproval(services, actor, { approvalId: approval.id, digest, by: gate.key })
  if (!use.allowed) return stop(services, actor, gate, authorization, 'changed', `Refused: ${use.reason}.`)
  const approved = use.arguments
  return isRecord(approved)
    ? letThrough(services, actor, gate, authorization, { id: approval.id, arguments: approved })
    : stop(services, actor, gate, authorization, 'changed', 'What was approved are no arguments.')
}

/** The question that is open or settled under the gate's key; asked when it is not. */
async function ask(
  services: DomainServices,
  actor: Actor,
  { key, title, place, runId, taskId, question, deadline, argumentsSchema }: Gate,
  authorization: Authorization,
): Promise<ApprovalRow> {
  const requestKey = `gate/${key}`
  const [known] = await readApprovals(services, actor, 'request_key', [
    requestKey,
    `escalation/${requestKey}`,
  ])
  if (known) return known
  const { action, context } = question
  return askPeople(services, actor, authorization, {
    requestKey,
    title,
    action,
    arguments: question.arguments,
    risk: context?.risk ?? null,
    costUsd: context?.amount ?? null,
    reason: `${place}. ${authorization.reasons.join(' ')}`,
    ...(argumentsSchema === undefined ? {} : { argumentsSchema }),
    // Who is asked when nobody in particular is, approvers and administrators, has a stage of its own too.
    stages: deadline
      ? (authorization.stages.length > 0 ? authorization.stages : [{}]).map((stage) => ({
          ...stage,
          deadlineSeconds: deadline.seconds,
          onDeadline: deadline.rule,
        }))
      : authorization.stages,
    runId,
    taskId,
  })
}

/** Whether an approval was asked for this: as it stands, or before somebody had it changed. */
async function isAbout(
  { database }: DomainServices,
  actor: Actor,
  { id, digest, round }: ApprovalRow,
  { question }: Gate,
): Promise<boolean> {
  const wanted = digestOf({ action: question.action, arguments: question.arguments })
  if (digest === wanted) return true
  if (round === 1) return false
  const shown = await database.readTenant(
    actor,
    `select from approval_decision where organization_id = $1 and approval_id = $2 and digest = $3 limit 1`,
    [actor.organizationId, id, wanted],
  )
  return shown.length > 0
}

async function letThrough(
  { database }: DomainServices,
  actor: Actor,
  gate: Gate,
  authorization: Authorization,
  approved: { id: string; arguments: Record<string, unknown> } | null,
): Promise<Passage> {
  const { inform, redactions } = authorization
  const { action, resource } = gate.question
  await database.inTenant(actor, async (tx: TenantTransaction) => {
    await writeAuditEntry(tx, entryOf(gate, authorization, 'allowed'))
    if (inform === null) return
    await tx.appendEvent({
      type: 'authority.informed',
      subject: `task/${gate.taskId}`,
      data: {
        action,
        level: inform,
        runId: gate.runId,
        taskId: gate.taskId,
        title: gate.title,
        key: gate.key,
        teamId: resource?.team ?? null,
        domainId: resource?.domain ?? null,
      },
    })
  })
  const { arguments: given } = approved ?? gate.question
  const seen = redact({ arguments: given }, redactions)
  const left = isRecord(seen) && isRecord(seen['arguments']) ? seen['arguments'] : {}
  return { type: 'passed', arguments: left, approvalId: approved?.id ?? null }
}

async function stop(
  services: DomainServices,
  actor: Actor,
  gate: Gate,
  authorization: Authorization,
  why: Obstacle,
  reason: string,
): Promise<Passage> {
  await recordAlone(services, actor, {
    ...entryOf(gate, authorization, why),
    actionType: 'denial',
    summary: `Not done: ${gate.title}`,
  })
  return { type: 'stopped', why, reason }
}

function entryOf(gate: Gate, authorization: Authorization, outcome: string) {
  const { action, arguments: asked, context } = gate.question
  const { ruling, reasons, policyVersions, authorityVersion } = authorization
  return {
    actionType: 'decision' as const,
    domain: 'governance',
    summary: `Let through: ${gate.title}`,
    details: {
      context: {
        action,
        digest: digestOf({ action, arguments: asked }),
        amount: context?.amount ?? null,
        risk: context?.risk ?? null,
        place: gate.place,
        runId: gate.runId,
      },
      decision: ruling,
      reasoning: reasons.join(' '),
      outcome,
    },
    policyVersion: policyVersions.map(({ policyId, version }) => `${policyId}@${version}`).join(', '),
    authorityVersion: String(authorityVersion),
    significance: 'significant' as const,
    subject: `task/${gate.taskId}`,
    relatedTasks: [gate.taskId],
  }
}
