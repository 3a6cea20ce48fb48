import type { TenantTransaction } from '@tutti/prisma'
import type { JsonSchema } from '@tutti/runtime'
import { type Actor, isRecord } from '@tutti/schema'
import { isPending, wantsChanges } from '../approvals/approval-status.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from '../approvals/approval-row.ts'
import { digestOf } from '../approvals/digest-of.ts'
import { approvedArguments, approvedDigest, useApproval } from '../approvals/use-approval.ts'
import { recordAlone } from '../audit/record-alone.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { type AuthorizationQuestion, authorize } from '../authority/authorize.ts'
import { decisionLogOf } from '../authority/decision-log.ts'
import type { Authorization } from '../authority/rule.ts'
import type { DomainServices } from '../context.ts'
import { redact } from '../policies/redact.ts'
import { askPeople, readApprovals } from './ask-people.ts'
import { demandsOf } from './demands.ts'

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
  action: string
  arguments: Readonly<Record<string, unknown>>
  /** What is ruled on. Also of other arguments, which somebody approved in the place of those asked for. */
  questionOf(given: Readonly<Record<string, unknown>>): Omit<AuthorizationQuestion, 'action' | 'arguments'>
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

/** How often what was approved in the place of what was asked may be asked about in its turn. */
const MOST_TURNS = 10

/** What may be done, and by which rules and whose yes. */
interface Permitted {
  arguments: Readonly<Record<string, unknown>>
  authorization: Authorization
  approvalId: string | null
}

/**
 * Asks authority and policies whether a task may do something now, and people where they say so. To be called before every
 * attempt: a yes of earlier counts only as long as nobody forbids it since, of those whom the rules ask for now, once, and for
 * exactly what was approved. Other arguments that somebody approved are ruled on as those asked for are.
 * Events: approval.requested, escalation.opened, approval.used, authority.informed. Audit: what was let through with the
 * versions of what ruled, and a denial of what was not.
 */
export const passGate = (services: DomainServices, actor: Actor, gate: Gate): Promise<Passage> =>
  pass(services, actor, gate, gate.arguments, MOST_TURNS)

async function pass(
  services: DomainServices,
  actor: Actor,
  gate: Gate,
  given: Readonly<Record<string, unknown>>,
  turns: number,
): Promise<Passage> {
  const authorization = await ruleOn(services, actor, gate, given)
  const asked = { arguments: given, authorization, approvalId: null }
  const halt = (why: Obstacle, reason: string) => stop(services, actor, gate, asked, why, reason)
  if (authorization.ruling === 'deny') return halt('denied', authorization.reasons.join(' '))
  if (authorization.ruling === 'allow') return letThrough(services, actor, gate, asked)
  const approval = await ask(services, actor, gate, given, authorization)
  if (!(await isAbout(services, actor, approval, gate, given)))
    return halt('changed', 'Something else was asked for.')
  if (isPending(approval) || wantsChanges(approval)) return { type: 'waiting', approvalId: approval.id }
  const digest = approvedDigest(approval)
  if (digest === null) {
    const isRefused = approval.status === 'rejected'
    const reason = isRefused ? (approval.comment ?? 'Somebody said no.') : 'Nobody decided in time.'
    return halt(isRefused ? 'rejected' : 'undecided', reason)
  }
  const approved = approvedArguments(approval)
  if (!isRecord(approved)) return halt('changed', 'What was approved are no arguments.')
  const isAsAsked = digest === approval.digest && approval.round === 1
  const now = isAsAsked ? authorization : await ruleOn(services, actor, gate, approved)
  if (now.ruling !== 'allow' && demandsOf(now) !== demandsOf(authorization))
    return turns > 0
      ? pass(services, actor, gate, approved, turns - 1)
      : halt('changed', 'Other arguments were approved again and again.')
  const use = await useApproval(services, actor, { approvalId: approval.id, digest, by: gate.key })
  const permitted = { arguments: approved, authorization: now, approvalId: approval.id }
  if (use.allowed) return letThrough(services, actor, gate, permitted)
  return use.reason === 'decider_lost'
    ? stop(services, actor, gate, permitted, 'denied', 'Whoever said yes could not say it any more.')
    : stop(services, actor, gate, permitted, 'changed', `Refused: ${use.reason}.`)
}

async function ruleOn(
  services: DomainServices,
  actor: Actor,
  { action, questionOf }: Gate,
  given: Readonly<Record<string, unknown>>,
): Promise<Authorization> {
  const authorization = await authorize(services, actor, { ...questionOf(given), action, arguments: given })
  await decisionLogOf(services.database).flush()
  return authorization
}

/**
 * The question that is open or settled about this, by these rules; asked when there is none. One about something else, where
 * the attempt before asked that: with other arguments other rules may hold.
 */
async function ask(
  services: DomainServices,
  actor: Actor,
  gate: Gate,
  given: Readonly<Record<string, unknown>>,
  authorization: Authorization,
): Promise<ApprovalRow> {
  const { key, title, place, runId, taskId, action, questionOf, deadline, argumentsSchema } = gate
  // Whatever the attempt asks for is one question, so that another attempt's other arguments are seen; what people made of it
  // is another.
  const turned = given === gate.arguments ? '' : `/${digestOf({ action, arguments: given })}`
  const requestKey = `gate/${key}/${demandsOf(authorization)}${turned}`
  const [known] = await readApprovals(services, actor, 'request_key', [
    requestKey,
    `escalation/${requestKey}`,
  ])
  if (known) return known
  if (given === gate.arguments) {
    const other = await askedBefore(services, actor, gate)
    if (other) return other
  }
  const { context } = questionOf(given)
  return askPeople(services, actor, authorization, {
    requestKey,
    title,
    action,
    arguments: given,
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

/** What an attempt before asked, by whatever rules, where none of it is about the arguments of this one. */
async function askedBefore(
  services: DomainServices,
  actor: Actor,
  gate: Gate,
): Promise<ApprovalRow | undefined> {
  const begins = `gate/${gate.key}/`
  const asked = await services.database.readTenant<ApprovalRow>(
    actor,
    `select ${APPROVAL_COLUMNS} from approval where organization_id = $1 and task_id = $2
       and starts_with(regexp_replace(request_key, '^escalation/', ''), $3)
       and substr(regexp_replace(request_key, '^escalation/', ''), length($3::text) + 1) ~ '^[0-9a-f]{64}$' order by id`,
    [actor.organizationId, gate.taskId, begins],
  )
  const about = await Promise.all(
    asked.map((approval) => isAbout(services, actor, approval, gate, gate.arguments)),
  )
  return about.includes(true) ? undefined : asked[0]
}

/** Whether an approval was asked for this: as it stands, or before somebody had it changed. */
async function isAbout(
  { database }: DomainServices,
  actor: Actor,
  { id, digest, round }: ApprovalRow,
  { action }: Gate,
  given: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const wanted = digestOf({ action, arguments: given })
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
  permitted: Permitted,
): Promise<Passage> {
  const { inform, redactions } = permitted.authorization
  const { action } = gate
  const { resource } = gate.questionOf(permitted.arguments)
  await database.inTenant(actor, async (tx: TenantTransaction) => {
    await writeAuditEntry(tx, entryOf(gate, permitted, 'allowed'))
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
  const seen = redact({ arguments: permitted.arguments }, redactions)
  const left = isRecord(seen) && isRecord(seen['arguments']) ? seen['arguments'] : {}
  return { type: 'passed', arguments: left, approvalId: permitted.approvalId }
}

async function stop(
  services: DomainServices,
  actor: Actor,
  gate: Gate,
  permitted: Permitted,
  why: Obstacle,
  reason: string,
): Promise<Passage> {
  await recordAlone(services, actor, {
    ...entryOf(gate, permitted, why),
    actionType: 'denial',
    summary: `Not done: ${gate.title}`,
  })
  return { type: 'stopped', why, reason }
}

function entryOf(gate: Gate, { arguments: given, authorization }: Permitted, outcome: string) {
  const { action } = gate
  const { context } = gate.questionOf(given)
  const { ruling, reasons, policyVersions, authorityVersion } = authorization
  return {
    actionType: 'decision' as const,
    domain: 'governance',
    summary: `Let through: ${gate.title}`,
    details: {
      context: {
        action,
        digest: digestOf({ action, arguments: given }),
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
