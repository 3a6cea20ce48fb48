import { z } from 'zod'
import { FAILURE_KINDS, RECOVERY_ACTIONS } from './recovery.ts'

const runRef = z.object({ runId: z.string(), workflowId: z.string(), workflowName: z.string() })
const taskRef = runRef.extend({
  taskId: z.string(),
  stepPath: z.string(),
  agentId: z.string().nullable(),
  attempt: z.number().int(),
})
const failure = z.object({ code: z.string(), message: z.string() })
/** Why somebody did it, in their words. */
const reason = z.string().nullable()
const policyRef = z.object({ policyId: z.string(), name: z.string() })
const approvalRef = z.object({
  approvalId: z.string(),
  runId: z.string().nullable(),
  taskId: z.string().nullable(),
})
/** Somebody's right to decide, lent to somebody else. */
const delegationRef = z.object({ delegationId: z.string(), fromId: z.string(), toId: z.string() })
const principalRef = z.object({
  principalId: z.string(),
  /** Who did it: administrator or directory. */
  by: z.string(),
})
/** Who has a role, everywhere or in one domain or team. */
const assignmentRef = z.object({
  assignmentId: z.string(),
  role: z.string(),
  principalId: z.string().nullable(),
  groupId: z.string().nullable(),
  domainId: z.string().nullable(),
  teamId: z.string().nullable(),
})
const agentRef = z.object({ agentId: z.string(), name: z.string() })
const deploymentRef = z.object({ deploymentId: z.string(), agentId: z.string(), name: z.string() })
const connectorRef = z.object({ connectorId: z.string(), name: z.string() })
const operationRef = z.object({ operationId: z.string(), action: z.string() })
const containmentRef = z.object({ containmentId: z.string(), scope: z.string(), targetId: z.string() })
const triggerRef = z.object({ triggerId: z.string(), name: z.string(), workflowId: z.string() })
/** `runId`, `taskId`: the step that posted it; null when somebody did. */
const boardRef = z.object({
  itemId: z.string(),
  capability: z.string(),
  runId: z.string().nullable(),
  taskId: z.string().nullable(),
})
/** A tool of an MCP server, as an agent calls it. */
const toolRef = z.object({ agentId: z.string(), tool: z.string(), hash: z.string() })
/** A message to an agent, or the answer to somebody who is none (`toAgentId` null). */
const messageRef = z.object({
  messageId: z.string(),
  kind: z.string(),
  fromAgentId: z.string().nullable(),
  toAgentId: z.string().nullable(),
})
/** `scope`: agent or provider; `name`: the agent's or the provider's. `agentId`: null for a provider. */
const breakerRef = z.object({
  scope: z.enum(['agent', 'provider']),
  name: z.string(),
  agentId: z.string().nullable(),
})
/** A share of a shared resource, and whose it is. */
const bookingRef = z.object({
  resourceId: z.string(),
  name: z.string(),
  bookingId: z.string(),
  holderKind: z.string(),
  holderId: z.string(),
  amount: z.number().int(),
})
/** `from` and `to`: instances, or percent of its work by capability that `toAgentId` takes. `refusal`: why it was not done. */
const rebalanceRef = z.object({
  rebalanceId: z.string(),
  cause: z.enum(['request', 'schedule']),
  actions: z.array(
    z.object({
      action: z.enum(['grow', 'shrink', 'migrate']),
      agentId: z.string(),
      toAgentId: z.string().nullable(),
      from: z.number().int(),
      to: z.number().int(),
      reason: z.string(),
      refusal: z.string().nullable(),
    }),
  ),
  overloaded: z.number().int(),
})
const notificationRef = z.object({
  notificationId: z.string(),
  about: z.string(),
  kind: z.string(),
  attempts: z.number().int(),
})
/** `occurrence`: what it fired for, as a time, an event's id or a key. */
const firingRef = triggerRef.extend({ firingId: z.string(), occurrence: z.string() })

/** Every event of the platform: type → payload. Reading this file shows all traffic. */
export const EVENTS = {
  /** Something was done by an agent or a person that others are to be told of. */
  'authority.informed': z.object({
    action: z.string(),
    level: z.string(),
    /** Null: it was no step, but a mutation. */
    runId: z.string().nullable(),
    taskId: z.string().nullable(),
    title: z.string(),
    /** The same for every attempt at the same thing; absent: each event is about something else. */
    key: z.string().optional(),
    /** Where who did it belongs; absent or null: nowhere in particular. */
    teamId: z.string().nullish(),
    domainId: z.string().nullish(),
  }),
  'agent.registered': z.object({ agentId: z.string(), name: z.string(), version: z.string() }),
  /** It has a new version, which may serve later. */
  'agent.version_created': agentRef.extend({ number: z.number().int() }),
  'agent.version_served': agentRef.extend({ number: z.number().int(), previous: z.number().int() }),
  /** `cause`, `load`: of a change by load, with the figures it was decided by. */
  'agent.scaled': agentRef.extend({
    from: z.number().int(),
    to: z.number().int(),
    reason,
    cause: z.literal('automatic').optional(),
    load: z
      .object({
        running: z.number().int(),
        queued: z.number().int(),
        responseP95Ms: z.number().nullable(),
        slots: z.number().int(),
        utilisation: z.number(),
      })
      .optional(),
  }),
  /** It is said anew when it is scaled by its load. */
  'agent.scaling_changed': agentRef,
  /** It takes no new work; after the deadline what is under way is handed over. */
  'agent.draining': agentRef.extend({ reason, deadline: z.string() }),
  'agent.retired': agentRef,
  /** It was retired and is back, by this version. */
  'agent.restored': agentRef.extend({ number: z.number().int(), reason }),
  'deployment.started': deploymentRef,
  'deployment.progressed': deploymentRef.extend({ stage: z.string(), status: z.string() }),
  'deployment.completed': deploymentRef.extend({ number: z.number().int() }),
  'deployment.failed': deploymentRef.extend({ stage: z.string(), error: failure }),
  /** Its language model asked for a tool that is not on its list. */
  'agent.tool_refused': z.object({
    agentId: z.string(),
    runId: z.string(),
    taskId: z.string(),
    tool: z.string(),
  }),
  /** Checks in a row went well, or failed: so many that its health is another. */
  'agent.healthy': agentRef,
  'agent.unhealthy': agentRef.extend({ reason: z.string() }),
  /** It is not called until `retryAt`: too many failures, or a trial that failed. */
  'breaker.opened': breakerRef.extend({ openMs: z.number(), retryAt: z.string(), error: failure.nullable() }),
  /** It is tried once. */
  'breaker.half_opened': breakerRef,
  'breaker.closed': breakerRef.extend({ cause: z.enum(['recovered', 'reset']) }),
  /** Somebody was shown what its calls are signed with. */
  'agent.signing_secret_revealed': z.object({ agentId: z.string(), name: z.string() }),
  /** What is said of breakers, checks and recovery; `agentId`: null for the organization; `provider`: of its breaker alone, or `*`. */
  'reliability.changed': z.object({ agentId: z.string().nullable(), provider: z.string().optional() }),
  'workflow.applied': z.object({ workflowId: z.string(), name: z.string(), version: z.number().int() }),
  'workflow.published': z.object({
    workflowId: z.string(),
    name: z.string(),
    version: z.number().int(),
    /** The version that new runs took before; null: none. */
    previous: z.number().int().nullable(),
  }),
  /** The organization's settings: `parts` are those that the document replaced. */
  'settings.applied': z.object({ version: z.number().int(), parts: z.array(z.string()) }),
  'limit.changed': z.object({ limitId: z.string(), name: z.string(), change: z.enum(['set', 'removed']) }),
  'budget.changed': z.object({ budgetId: z.string(), name: z.string(), change: z.enum(['set', 'removed']) }),
  /** A call did not fit into a budget: its run was paused, or its step's attempt failed. */
  'budget.breached': z.object({
    budgetId: z.string(),
    name: z.string(),
    action: z.enum(['pause', 'stop']),
    runId: z.string().nullable(),
    agentId: z.string().nullable(),
    stepPath: z.string().nullable(),
  }),
  /** What the organization says of a language model, or what that costs from a date on. */
  'model.changed': z.object({ modelId: z.string(), change: z.enum(['set', 'priced', 'removed']) }),
  /** Answers of models were forgotten: of a model, of an agent's calls, of both; null: of any. */
  'cache.purged': z.object({
    modelId: z.string().nullable(),
    agentId: z.string().nullable(),
    /** So many the database had. */
    deleted: z.number().int(),
  }),
  /** How models are chosen. */
  'router_settings.applied': z.object({ settingsId: z.string() }),
  'run.started': runRef,
  'run.waiting': runRef,
  'run.completed': runRef.extend({ fallback: z.boolean() }),
  'run.failed': runRef.extend({ error: failure }),
  /** Stopped: by request, or at once and without compensation (`terminated`). */
  'run.cancelled': runRef.extend({ reason: reason.optional(), terminated: z.boolean().optional() }),
  /** It is to be cancelled once what completed is undone. */
  'run.cancelling': runRef.extend({ reason }),
  'run.paused': runRef.extend({ reason }),
  'run.resumed': runRef.extend({ reason }),
  /** A failed run goes on: these steps are done again, as this generation. */
  'run.retried': runRef.extend({ reason, steps: z.array(z.string()), generation: z.number().int() }),
  /** A new run that goes on from a step of another. */
  'run.forked': runRef.extend({
    reason,
    fromRunId: z.string(),
    fromStepPath: z.string(),
    /** Names of its state that were given other values. */
    state: z.record(z.string(), z.unknown()),
  }),
  /** Moved to another version of its workflow, by number. */
  'run.migrated': runRef.extend({
    from: z.number().int(),
    to: z.number().int(),
    fromVersionId: z.string(),
    toVersionId: z.string(),
  }),
  /** What somebody says it is worth, US dollars; the last word counts. */
  'run.value_declared': runRef.extend({ valueUsd: z.number(), note: z.string().nullable() }),
  /** A signal came for a run; a step takes it now or later. */
  'run.signalled': runRef.extend({ signalId: z.string(), name: z.string() }),
  /** It is in its inbox; `requestId`: what it answers. */
  'message.sent': messageRef.extend({ requestId: z.string().nullable(), priority: z.string() }),
  'message.acknowledged': z.object({ agentId: z.string(), messageIds: z.array(z.string()) }),
  'message.expired': messageRef,
  /** A request that nobody answered (UNANSWERED), or what was given out in vain (UNACKNOWLEDGED). */
  'message.dead_lettered': messageRef.extend({ reason: z.string() }),
  /** A communication policy did not let it through; it is nowhere. */
  'message.denied': z.object({
    kind: z.string(),
    fromAgentId: z.string().nullable(),
    toAgentId: z.string(),
    policyId: z.string().nullable(),
    policy: z.string().nullable(),
  }),
  /** What was said to many; `policies` are those that left somebody out. */
  'message.broadcast': z.object({
    broadcastId: z.string(),
    fromAgentId: z.string().nullable(),
    sent: z.number().int(),
    denied: z.number().int(),
    full: z.number().int(),
    policies: z.array(z.string()),
  }),
  'message_policy.changed': z.object({
    policyId: z.string(),
    name: z.string(),
    change: z.enum(['set', 'removed']),
  }),
  'task.ready': taskRef,
  'task.started': taskRef,
  'task.waiting': taskRef.extend({
    approvalId: z.string().nullable(),
    /** A person's decision on an agent's task, a worker outside that does it, a review step, or what the step itself waits for. */
    waitsFor: z.enum([
      'decision',
      'review',
      'time',
      'signal',
      'event',
      'board',
      'worker',
      'workflow',
      'branches',
    ]),
  }),
  /** A worker outside took it on; `fence` is its claim's. */
  'task.claimed': taskRef.extend({ fence: z.number().int() }),
  /** For other workers again: given back by whoever had it, its lease ran out, or an order stopped it. */
  'task.released': taskRef.extend({
    fence: z.number().int(),
    cause: z.enum(['returned', 'lease', 'stopped']),
  }),
  /** A report from inside a long attempt; at most one a second and task, the task itself has the newest. */
  'task.progress': taskRef.extend({
    percent: z.number().nullable(),
    message: z.string().nullable(),
    data: z.unknown(),
  }),
  'task.completed': taskRef,
  'task.retrying': taskRef.extend({ error: failure, readyAt: z.string() }),
  /** What was done about an agent's failure: the same agent again, another, an answer prepared beforehand, a person told. */
  'task.recovery': taskRef.extend({
    kind: z.enum(FAILURE_KINDS),
    action: z.enum(RECOVERY_ACTIONS),
    code: z.string(),
    /** The agents by name: who failed, and who is next. */
    from: z.string().nullable(),
    to: z.string().nullable(),
  }),
  'task.failed': taskRef.extend({ error: failure }),
  'task.cancelled': taskRef,
  'task.skipped': taskRef,
  /** Somebody acted on one task; what became of it follows as an event of its own. */
  'task.controlled': taskRef.extend({
    action: z.enum(['cancel', 'retry', 'skip', 'complete', 'reassign', 'prioritize']),
    reason,
  }),
  /** An order to stop fenced off work under way; it stops by the end of its lease, told or not. */
  'task.stopped': taskRef.extend({ containmentId: z.string(), leaseEnd: z.string() }),
  /** Work on the shared board: for any peer that has the capability. */
  'board.posted': boardRef,
  'board.claimed': boardRef.extend({ agentId: z.string().nullable(), fence: z.number().int() }),
  /** For others again: given back by whoever had it, or its lease ran out. */
  'board.released': boardRef.extend({ fence: z.number().int(), cause: z.enum(['returned', 'lease']) }),
  'board.completed': boardRef.extend({ fence: z.number().int() }),
  'board.failed': boardRef.extend({ fence: z.number().int(), error: failure }),
  /** Its step waits no more: it was cancelled, skipped, or its time was over. */
  'board.withdrawn': boardRef,
  'operation.started': operationRef.extend({ total: z.number().int(), reason }),
  'operation.progressed': operationRef.extend({
    total: z.number().int(),
    done: z.number().int(),
    failed: z.number().int(),
  }),
  'operation.completed': operationRef.extend({ done: z.number().int(), failed: z.number().int() }),
  'operation.cancelled': operationRef.extend({ done: z.number().int(), failed: z.number().int(), reason }),
  'containment.ordered': containmentRef.extend({ reason: z.string() }),
  /** Everything it stops has stopped, as proven. */
  'containment.stopped': containmentRef.extend({ stoppedAt: z.string() }),
  'containment.lifted': containmentRef.extend({ reason }),
  'trigger.changed': triggerRef.extend({
    change: z.enum(['created', 'updated', 'paused', 'resumed', 'deleted']),
  }),
  'trigger.fired': firingRef.extend({ runId: z.string() }),
  /** Times of a schedule passed with nobody there, and its policy leaves them out: the latest, and how many besides. */
  'trigger.skipped': firingRef.extend({ missed: z.number().int() }),
  /** No run was started: its input could not be made, it was refused, or triggers start each other without end. */
  'trigger.failed': firingRef.extend({ error: failure }),
  /** An event that an integrator published, in CloudEvents' terms; triggers and waits go by its inner type. */
  'integration.event': z.object({
    type: z.string(),
    source: z.string(),
    id: z.string(),
    subject: z.string().nullable(),
    data: z.unknown(),
    /** When it happened, as the source says. */
    time: z.string().nullable(),
    /** The run it came of, as the source says. */
    runId: z.string().nullable(),
  }),
  'approval.requested': z.object({
    approvalId: z.string(),
    runId: z.string().nullable(),
    taskId: z.string().nullable(),
    digest: z.string(),
  }),
  'approval.decided': z.object({
    approvalId: z.string(),
    runId: z.string().nullable(),
    taskId: z.string().nullable(),
    decision: z.enum(['approved', 'rejected']),
    decidedBy: z.string(),
    /** Whose right it was, of a decision by a delegate. */
    onBehalfOf: z.string().optional(),
  }),
  /** A yes that does not end it: its stage needs more, or another stage begins. */
  'approval.endorsed': approvalRef.extend({
    decidedBy: z.string(),
    onBehalfOf: z.string().optional(),
    stage: z.number().int(),
    round: z.number().int(),
    stageDone: z.boolean(),
  }),
  'approval.changes_requested': approvalRef.extend({
    decidedBy: z.string(),
    onBehalfOf: z.string().optional(),
    round: z.number().int(),
  }),
  /** It is asked anew, of what the digest says. */
  'approval.resubmitted': approvalRef.extend({ round: z.number().int(), digest: z.string() }),
  'approval.withdrawn': approvalRef,
  'approval.expired': approvalRef.extend({ decision: z.literal('expired') }),
  /** Its deadline comes near. */
  'approval.reminded': approvalRef.extend({ stage: z.number().int(), expiresAt: z.string() }),
  /** Its deadline passed: administrators may decide as well. */
  'approval.escalated': approvalRef.extend({ stage: z.number().int(), escalationId: z.string() }),
  /** What it allowed is done by `usedBy`, once. */
  'approval.used': approvalRef.extend({ digest: z.string(), usedBy: z.string() }),
  'approval_delegation.created': delegationRef.extend({ endsAt: z.string() }),
  'approval_delegation.ended': delegationRef,
  'escalation.opened': z.object({
    escalationId: z.string(),
    level: z.string(),
    runId: z.string().nullable(),
    taskId: z.string().nullable(),
  }),
  'escalation.acknowledged': z.object({ escalationId: z.string() }),
  'escalation.resolved': z.object({ escalationId: z.string(), resolution: z.string() }),
  /** It went up a level: a deadline was missed, or somebody asked for it. */
  'escalation.raised': z.object({
    escalationId: z.string(),
    from: z.string(),
    to: z.string(),
    cause: z.enum(['acknowledgement', 'resolution', 'request']),
    reason,
  }),
  /** Another is responsible now; `assignedToId`: null when it is a whole level. */
  'escalation.reassigned': z.object({
    escalationId: z.string(),
    level: z.string(),
    assignedToId: z.string().nullable(),
    reason,
  }),
  'escalation.commented': z.object({ escalationId: z.string(), stepId: z.string() }),
  /** The last level missed its deadline as well: it stays there, and an incident is open. */
  'escalation.exhausted': z.object({
    escalationId: z.string(),
    level: z.string(),
    cause: z.enum(['acknowledgement', 'resolution']),
    incidentId: z.string(),
  }),
  /** `scopeId`: of the organization, the domain or the team. */
  'escalation_policy.changed': z.object({
    scope: z.enum(['organization', 'domain', 'team']),
    scopeId: z.string(),
    change: z.enum(['set', 'removed']),
  }),
  'notification_channel.changed': z.object({
    channelId: z.string(),
    kind: z.string(),
    change: z.enum(['set', 'removed']),
  }),
  /** Somebody was told what waits for them; or it was given up. `about`: as escalation/<id>. */
  'notification.delivered': notificationRef,
  'notification.failed': notificationRef.extend({ message: z.string() }),
  /** Who is on call when was said anew; `overrideId`: for a time alone. */
  'on_call.changed': z.object({
    scheduleId: z.string(),
    name: z.string(),
    change: z.enum(['set', 'removed', 'overridden', 'override_removed']),
    overrideId: z.string().nullable(),
  }),
  /** An entry of the audit trail was written; `digest`: what it commits to, which the chain covers. */
  'audit.recorded': z.object({ entryId: z.string(), actionType: z.string(), digest: z.string() }),
  /** Somebody asked for an export of the record; `filters`: as they were given. */
  'audit.exported': z.object({
    exportId: z.string(),
    format: z.string(),
    verifiable: z.boolean(),
    from: z.string().nullable(),
    until: z.string().nullable(),
    filters: z.record(z.string(), z.unknown()),
  }),
  /** How long entries are kept, in days. */
  'audit.retention_set': z.object({
    standardDays: z.number(),
    significantDays: z.number(),
    complianceDays: z.number(),
  }),
  'legal_hold.set': z.object({ holdId: z.string(), filter: z.record(z.string(), z.unknown()) }),
  'legal_hold.released': z.object({ holdId: z.string() }),
  /** Somebody was forgotten: what is under these keys is gone; `entries`: how many of the audit trail lost their text. */
  'subject.erased': z.object({ erasureId: z.string(), keyIds: z.array(z.string()), entries: z.number() }),
  /** Entries were taken away after their time: those of these events (their numbers in the log), the last written `until`. */
  'audit.pruned': z.object({
    significance: z.string(),
    count: z.number(),
    until: z.string(),
    events: z.array(z.string()),
  }),
  'audit.export_completed': z.object({ exportId: z.string(), written: z.number() }),
  'audit.export_cancelled': z.object({ exportId: z.string(), written: z.number() }),
  /** A consumer of the log could not handle an event, and goes on without it; `seq`: its number in the log. */
  'event.put_aside': z.object({
    consumer: z.string(),
    seq: z.string(),
    eventType: z.string(),
    code: z.string(),
  }),
  /** Somebody wants handled once more what was put aside; `consumer`: of this one alone. */
  'event.taken_again': z.object({ consumer: z.string().nullable(), count: z.number() }),
  'incident.opened': z.object({ incidentId: z.string(), severity: z.string(), title: z.string() }),
  'incident.acknowledged': z.object({ incidentId: z.string(), severity: z.string() }),
  'incident.resolved': z.object({ incidentId: z.string(), severity: z.string() }),
  'quality.assessed': z.object({
    assessmentId: z.string(),
    taskId: z.string().nullable(),
    runId: z.string().nullable(),
    overallScore: z.number(),
    belowMinimum: z.boolean(),
  }),
  'anomaly.detected': z.object({
    anomalyId: z.string(),
    type: z.string(),
    severity: z.enum(['warning', 'high', 'critical']),
    scope: z.string(),
    workflowId: z.string().nullable(),
    value: z.number(),
    threshold: z.number(),
    description: z.string(),
  }),
  /** Of a policy, or of a version of it. */
  'policy.changed': policyRef.extend({
    version: z.number().int(),
    change: z.enum(['created', 'updated', 'submitted', 'scheduled', 'activated', 'rejected', 'retired']),
  }),
  /** It could not be evaluated, and so it denied; at most once a minute from a process. */
  'policy.failed': policyRef.extend({ version: z.number().int(), action: z.string(), message: z.string() }),
  /** Lines of the matrix of who may decide what that are there now, and those that are there no more. */
  'authority.changed': z.object({
    version: z.number().int(),
    previous: z.number().int(),
    added: z.array(z.record(z.string(), z.unknown())),
    removed: z.array(z.record(z.string(), z.unknown())),
  }),
  'policy_exception.changed': policyRef.extend({
    exceptionId: z.string(),
    change: z.enum(['requested', 'approved', 'rejected', 'revoked']),
  }),
  'knowledge.published': z.object({ articleId: z.string(), title: z.string() }),
  /** What agents may set aside; null: the organization's. */
  'quota.changed': z.object({
    quotaId: z.string(),
    domainId: z.string().nullable(),
    teamId: z.string().nullable(),
  }),
  /** What rebalancing would change, or changed, of agents' instances and shares; the first 100 of it. */
  'rebalance.planned': rebalanceRef,
  'rebalance.applied': rebalanceRef,
  /** How often it is done by itself; null: never. */
  'rebalance.settings_changed': z.object({
    intervalSeconds: z.number().int().nullable(),
    applies: z.boolean(),
  }),
  'resource.changed': z.object({
    resourceId: z.string(),
    name: z.string(),
    capacity: z.number().int(),
    change: z.enum(['set', 'removed']),
  }),
  /** It is held from now on; the fence is larger than that of every grant of the resource before. */
  'resource.granted': bookingRef.extend({ fence: z.number().int(), until: z.string() }),
  /** A window of time to come is theirs. */
  'resource.booked': bookingRef.extend({ from: z.string(), until: z.string() }),
  'resource.queued': bookingRef,
  /** Given back, or its time was over; of one that never was held the fence is null. */
  'resource.ended': bookingRef.extend({
    fence: z.number().int().nullable(),
    cause: z.enum(['released', 'expired']),
  }),
  /** Somebody waits, and nobody did; said again when all were served meanwhile. */
  'resource.contended': z.object({
    resourceId: z.string(),
    name: z.string(),
    capacity: z.number().int(),
    waiting: z.number().int(),
  }),
  /** A secret of an agent or provider, never its value. */
  /** A name of a channel or server outside was bound, or bound otherwise. */
  'connector.set': connectorRef,
  'connector.removed': connectorRef,
  'credential.set': z.object({ credentialId: z.string(), name: z.string() }),
  'credential.rotated': z.object({ credentialId: z.string(), name: z.string() }),
  'credential.deleted': z.object({ credentialId: z.string(), name: z.string() }),
  /** The organization's credentials were encrypted anew. */
  'data_key.rotated': z.object({ version: z.number().int(), reencrypted: z.number().int(), reason }),
  'identity_provider.set': z.object({ providerId: z.string(), issuer: z.string() }),
  'identity_provider.removed': z.object({ providerId: z.string(), issuer: z.string() }),
  /** Somebody logged in; `credential.revoked` with its id is a session's end before its time. */
  'session.started': z.object({
    sessionId: z.string(),
    principalId: z.string(),
    providerId: z.string(),
    roles: z.array(z.string()),
    groups: z.array(z.string()),
  }),
  'credential.revoked': z.object({ credentialId: z.string() }),
  /** The old key opens until `graceUntil`, and the new one from now on. */
  'credential.replaced': z.object({
    credentialId: z.string(),
    newCredentialId: z.string(),
    graceUntil: z.string(),
  }),
  'role.set': z.object({ name: z.string(), version: z.number().int(), scopes: z.array(z.string()) }),
  'role.removed': z.object({ name: z.string() }),
  /** Nothing that is theirs opens anything from then on. Why is in the audit trail, which can forget it. */
  'principal.deactivated': principalRef,
  'principal.reactivated': principalRef,
  /** A directory made or changed somebody by SCIM; what it says of them is not in the log. */
  'principal.provisioned': principalRef.extend({ created: z.boolean() }),
  /** A directory's group is kept here no more, and the roles it had are nobody's by it. */
  'group.removed': z.object({ groupId: z.string(), name: z.string(), removed: z.array(z.string()) }),
  'group.set': z.object({
    groupId: z.string(),
    name: z.string(),
    added: z.array(z.string()),
    removed: z.array(z.string()),
  }),
  'role.assigned': assignmentRef.extend({ expiresAt: z.string().nullable() }),
  'role.unassigned': assignmentRef,
  /** A person took the role admin for a time; it is to be reviewed by another. Why is in the incident. */
  'access.glass_broken': z.object({
    breakGlassId: z.string(),
    principalId: z.string(),
    incidentId: z.string(),
    endsAt: z.string(),
  }),
  'access.break_glass_reviewed': z.object({ breakGlassId: z.string(), principalId: z.string() }),
  /** A tool was called for the first time, and what its server says of it pinned by its hash. */
  'tool.pinned': toolRef,
  /** The server says something else of a tool by now: it is not called until somebody approves that. */
  'tool.changed': toolRef.extend({ pinnedHash: z.string() }),
  'tool.approved': toolRef.extend({ previous: z.string() }),
} as const satisfies Record<string, z.ZodType>

export type EventType = keyof typeof EVENTS
export type EventData<T extends EventType> = z.infer<(typeof EVENTS)[T]>

/** Who did what an event tells of. Of a person only the id: names are forgotten, and the log never changes. */
export interface EventActor {
  id: string
  kind: string
  name?: string
}

/** What is stored and delivered; CloudEvents attributes by our names (`source` is the organization). */
export interface EventRecord<T extends EventType = EventType> {
  organizationId: string
  /** Position in the log; also the client's cursor, see {@link cursorOf}. */
  seq: bigint
  id: string
  type: T
  /** What it is about, as `task/<id>`. */
  subject: string
  actor: EventActor
  data: EventData<T>
  time: Date
}

/** An event as an operation hands it over; the log adds the rest. */
export type NewEvent = {
  [T in EventType]: { type: T; subject: string; data: EventData<T> }
}[EventType]

/** The opaque cursor of a position: fixed width, so that cursors compare as strings. */
export function cursorOf(seq: bigint): string {
  return seq.toString(36).padStart(13, '0')
}

/** The position of a cursor, or null when it is not one of ours. */
export function seqOf(cursor: string): bigint | null {
  if (!/^[0-9a-z]{13}$/.test(cursor)) return null
  let seq = 0n
  for (const digit of cursor) seq = seq * 36n + BigInt(Number.parseInt(digit, 36))
  return seq <= 9223372036854775807n ? seq : null
}
