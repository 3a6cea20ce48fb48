import { randomBytes, randomUUID } from 'node:crypto'
import {
  agentDocument,
  type Kind,
  mark,
  type Name,
  type Possessions,
  settingsDocument,
  uncommonWord,
  workflowDocument,
} from './possessions.ts'
import { cursorOfId } from './rows-of.ts'

/** One way to name something by an argument: with what another has, with what nobody has, with what cannot be. */
export interface Naming {
  of(things: Possessions): string
  nobodys(things: Possessions): string
  malformed: string
  /** The argument's value, when the name is only a part of it. */
  within?(name: string, caller: Possessions): unknown
  /** It is stored as it is and nothing is looked up: its owner gets the same answer as everybody. */
  stored?: true
  /** Asking with it makes it the asker's own: another way to the same field takes it from the spare set. */
  spent?: true
  /** What the owner's delivery bears, where that is not the name itself. */
  shows?(things: Possessions): string
  /** It is a place in an order: what nobody has is beside it, and its owner sees a difference only far from it. */
  position?: true
}

/** What an argument or input field is. */
export interface Leaf {
  /** Its value where another argument of the same operation is in question. */
  base?(caller: Possessions): unknown
  /** Given although it is not required. */
  always?: true
  namings: Naming[]
  /** Another field that must not be given beside it. */
  insteadOf?: string
}

const id = (kind: Kind): Leaf => ({
  base: ({ ids }) => ids[kind],
  namings: [{ of: ({ ids }) => ids[kind], nobodys: () => randomUUID(), malformed: 'not-an-id' }],
})

/** As {@link id}, where it is kept beside what is made and would be found there by later questions. */
const spareId = (kind: Kind): Leaf => ({
  base: ({ spare }) => spare.ids[kind],
  namings: [{ of: ({ spare }) => spare.ids[kind], nobodys: () => randomUUID(), malformed: 'not-an-id' }],
})

/** As {@link id}, of a feed whose events bear the workflow and not the thing itself. */
const shownByWorkflow = (kind: Kind): Leaf => ({
  namings: id(kind).namings.map((naming) => ({ ...naming, shows: ({ ids }) => ids.workflow })),
})

/** A text that nothing is found by. */
const text = (base: unknown = 'some text'): Leaf => ({ base: () => base, namings: [] })

const NUL = 'nu\0l'

/** An agent of the spare set: nobody retires it, and its inbox is for the reading. By id: its name is given to others. */
const spareAgent: Leaf = {
  base: ({ spare }) => spare.ids.agent,
  always: true,
  namings: [{ of: ({ spare }) => spare.ids.agent, nobodys: () => randomUUID(), malformed: NUL }],
}

const name = (of: Name, base?: (caller: Possessions) => unknown): Leaf => ({
  base: base ?? (({ names }) => names[of]),
  namings: [{ of: ({ names }) => names[of], nobodys: ({ names }) => likeOf(names[of]), malformed: NUL }],
})

/** As {@link name}, of a feed whose deliveries bear the agent's id. */
const shownByAgent = (of: Name): Leaf => ({
  namings: name(of).namings.map((naming) => ({ ...naming, shows: ({ ids }) => ids.agent })),
})

/** The same word with other hex digits. */
const likeOf = (value: string): string =>
  value.replace(/[0-9a-f]{32}|[0-9a-f]{64}/, ({ length }) => randomBytes(length / 2).toString('hex'))

/** A place in a list: nobody's cursor is that of an id beside the other's, so that the same rows follow. */
const cursor = (kind: Kind): Leaf => ({
  namings: [
    {
      of: ({ ids }) => cursorOfId(ids[kind]),
      nobodys: ({ ids }) => cursorOfId(`${ids[kind].slice(0, 24)}${randomBytes(6).toString('hex')}`),
      malformed: cursorOfId('not-an-id'),
      position: true,
    },
  ],
})

/**
 * Every argument and input field of type ID, String or JSON, by its coordinate. One that is missing here fails the
 * probe: say what it names, or that nothing is found by it.
 */
export const LEAVES: Record<string, Leaf> = {
  'Query.agent(id:)': id('agent'),
  'Agent.versions(after:)': cursor('agentVersion'),
  'Query.agents(after:)': cursor('agent'),
  'Query.agents(capability:)': name('capability'),
  'Query.agents(type:)': name('agentType'),
  'Query.approval(id:)': id('approval'),
  'Query.approvals(after:)': cursor('approval'),
  'Query.agentMessage(id:)': id('agentMessage'),
  'Query.agentMessages(after:)': cursor('agentMessage'),
  'Query.agentMessages(agent:)': name('agent'),
  'Query.agentMessages(broadcastId:)': id('broadcast'),
  'Query.agentRequest(id:)': id('agentRequest'),
  'Query.messagePolicies(after:)': cursor('messagePolicy'),
  'Query.breakers(after:)': cursor('breaker'),
  'Query.reliability(agentId:)': id('agent'),
  'Query.article(id:)': id('article'),
  'Query.articles(after:)': cursor('article'),
  'Query.auditEntries(actionType:)': text('decision'),
  'Query.auditEntries(after:)': cursor('auditEntry'),
  'Query.auditEntries(subject:)': {
    namings: [
      {
        of: ({ ids }) => ids.approval,
        nobodys: () => randomUUID(),
        malformed: NUL,
        within: (subject) => `approval/${subject}`,
      },
    ],
  },
  'Query.boardItem(id:)': id('boardItem'),
  'Query.boardItems(after:)': cursor('boardItem'),
  'Query.boardItems(capability:)': name('boardCapability'),
  'Query.boardItems(runId:)': id('run'),
  'Query.budget(id:)': id('budget'),
  'Query.budgets(after:)': cursor('budget'),
  'Query.budgets(agentId:)': id('agent'),
  'Query.budgets(runId:)': id('run'),
  'Budget.use(runId:)': id('run'),
  'Budget.use(stepPath:)': text('step'),
  'Query.sharedResource(id:)': id('sharedResource'),
  'Query.sharedResources(after:)': cursor('sharedResource'),
  'Query.resourceBooking(id:)': id('resourceBooking'),
  'Query.resourceBookings(after:)': cursor('resourceBooking'),
  'Query.resourceBookings(resourceId:)': id('sharedResource'),
  'CostFilterInput.agentId': id('agent'),
  'CostFilterInput.domainId': id('domain'),
  'CostFilterInput.modelId': id('model'),
  'CostFilterInput.runId': id('run'),
  'CostFilterInput.teamId': id('team'),
  'CostFilterInput.workflowId': id('workflow'),
  'Query.modelCalls(after:)': cursor('modelCall'),
  'Query.modelCalls(agentId:)': id('agent'),
  'Query.modelCalls(modelId:)': id('model'),
  'Query.modelCalls(outcome:)': text('ok'),
  'Query.modelCalls(runId:)': id('run'),
  'Query.containment(id:)': id('containment'),
  'Query.containments(after:)': cursor('containment'),
  'Query.credentials(after:)': cursor('credential'),
  'Query.escalation(id:)': id('escalation'),
  'Query.escalations(after:)': cursor('escalation'),
  'Query.incident(id:)': id('incident'),
  'Query.incidents(after:)': cursor('incident'),
  'Query.limits(after:)': cursor('limit'),
  'Query.model(id:)': id('model'),
  'Query.models(after:)': cursor('model'),
  'Query.qualityAssessment(id:)': id('assessment'),
  'Query.deployment(id:)': id('deployment'),
  'Query.deployments(after:)': cursor('deployment'),
  'Query.deployments(agentId:)': id('agent'),
  'Query.operation(id:)': id('operation'),
  'Query.operations(after:)': cursor('operation'),
  'Query.run(id:)': id('run'),
  'Query.runState(id:)': id('run'),
  'Query.runs(after:)': cursor('run'),
  'Query.runs(workflowId:)': id('workflow'),
  'Query.searchArticles(language:)': text('en'),
  'Query.searchArticles(tags:)': {
    namings: [{ of: ({ names }) => names.tag, nobodys: () => mark('tag'), malformed: NUL, stored: true }],
  },
  'Query.searchArticles(text:)': {
    base: ({ names }) => names.word,
    namings: [{ of: ({ names }) => names.word, nobodys: uncommonWord, malformed: NUL }],
  },
  'Query.settingsVersions(after:)': cursor('settings'),
  'Query.searchTaskLogs(after:)': cursor('taskLog'),
  'Query.task(id:)': id('task'),
  'Query.team(id:)': id('team'),
  'Query.trigger(id:)': id('trigger'),
  'Query.triggers(after:)': cursor('trigger'),
  'Query.triggers(workflowId:)': id('workflow'),
  'Query.workflow(id:)': id('workflow'),
  'Query.workflowByName(name:)': name('workflow'),
  'Query.workflows(after:)': cursor('workflow'),

  'Agent.tasks(after:)': cursor('task'),
  'Trigger.firings(after:)': cursor('firing'),
  'Run.history(after:)': text('0000000000000'),
  'Run.history(types:)': text('run.started'),
  'Task.logs(after:)': cursor('taskLog'),
  'Task.logs(search:)': name('logWord'),
  'Workflow.runs(after:)': cursor('run'),
  'Workflow.versions(after:)': cursor('workflowVersion'),

  'AcquireResourceInput.agentId': id('agent'),
  'AcquireResourceInput.idempotencyKey': text('some key'),
  'AcquireResourceInput.resource': name('sharedResource'),
  'AcquireResourceInput.runId': id('run'),
  'AcquireResourceInput.taskId': id('task'),
  'BookResourceInput.agentId': id('agent'),
  'BookResourceInput.idempotencyKey': text('some key'),
  'BookResourceInput.resource': name('sharedResource'),
  'BookResourceInput.runId': id('run'),
  'BookResourceInput.taskId': id('task'),
  'ReleaseResourceInput.id': id('resourceBooking'),
  'RemoveSharedResourceInput.id': spareId('sharedResource'),
  'RenewResourceInput.id': id('resourceBooking'),
  'SetSharedResourceInput.description': text(),
  'SetSharedResourceInput.name': name('sharedResource'),
  'AcknowledgeEscalationInput.id': id('escalation'),
  'AcknowledgeMessagesInput.agent': spareAgent,
  'AcknowledgeMessagesInput.ids': spareId('agentMessage'),
  'BroadcastMessageInput.body': text({}),
  'BroadcastMessageInput.capability': text('capability'),
  'BroadcastMessageInput.domain': name('domain'),
  'BroadcastMessageInput.idempotencyKey': text('some key'),
  'BroadcastMessageInput.team': name('team'),
  'MessagePartyInput.agentId': id('agent'),
  'MessagePartyInput.capability': text('capability'),
  'MessagePartyInput.domainId': id('domain'),
  'MessagePartyInput.teamId': id('team'),
  'MessagePartyInput.type': text('type'),
  'MessageTargetInput.agent': spareAgent,
  'MessageTargetInput.capability': text('capability'),
  'MessageTargetInput.type': text('type'),
  'ReceiveMessagesInput.agent': spareAgent,
  'RemoveMessagePolicyInput.id': spareId('messagePolicy'),
  'RespondToRequestInput.agent': { ...name('agent'), always: true },
  'RespondToRequestInput.body': text({}),
  'RespondToRequestInput.requestId': id('agentRequest'),
  'SendMessageInput.body': text({}),
  'SendMessageInput.idempotencyKey': {
    namings: [
      { of: ({ names }) => names.messageKey, nobodys: () => mark('key'), malformed: NUL, spent: true },
    ],
  },
  'SendRequestInput.body': text({}),
  'SendRequestInput.idempotencyKey': text('some key'),
  'SetMessagePolicyInput.name': name('messagePolicy'),
  'AcknowledgeIncidentInput.id': id('incident'),
  'AgentFileInput.content': text(),
  'AgentFileInput.name': text('file'),
  'AppendAuditEntryInput.actionType': text('decision'),
  'AppendAuditEntryInput.classification': text('internal'),
  'AppendAuditEntryInput.details': text({}),
  'AppendAuditEntryInput.domain': text(),
  'AppendAuditEntryInput.relatedTasks': {
    namings: [{ of: ({ ids }) => ids.task, nobodys: () => randomUUID(), malformed: NUL, stored: true }],
  },
  'AppendAuditEntryInput.significance': text('standard'),
  'AppendAuditEntryInput.subject': {
    base: () => 'something',
    namings: [{ of: ({ ids }) => ids.run, nobodys: () => randomUUID(), malformed: NUL, stored: true }],
  },
  'AppendAuditEntryInput.summary': text(),
  'AppendTaskLogInput.token': text(),
  'ApproveToolInput.agentId': id('agent'),
  // What is pinned already: approving it again changes nothing.
  'ApproveToolInput.hash': { base: ({ names }) => names.toolHash, namings: [] },
  'ApproveToolInput.tool': name('tool'),
  'ApplySettingsInput.document': text(settingsDocument('telegram')),
  'ApplyWorkflowInput.document': {
    base: ({ names }) => workflowDocument(names.workflow, names.agent),
    namings: [
      {
        of: ({ spare }) => spare.names.workflow,
        nobodys: () => mark('workflow'),
        malformed: NUL,
        within: (workflow, { names }) => workflowDocument(workflow, names.agent),
      },
      {
        of: ({ names }) => names.agent,
        nobodys: () => mark('agent'),
        malformed: NUL,
        within: (agent) => workflowDocument('probe', agent),
      },
    ],
  },
  'ArticleInput.body': text(),
  'ArticleInput.externalId': name('article'),
  'ArticleInput.language': text('en'),
  'ArticleInput.tags': text(),
  'ArticleInput.title': text(),
  'AssessQualityInput.idempotencyKey': name('assessmentKey'),
  'AssessQualityInput.question': text(),
  'AssessQualityInput.text': text(),
  'BulkControlRunsInput.idempotencyKey': {
    namings: name('operationKey').namings.map((naming) => ({ ...naming, spent: true })),
  },
  'BulkControlRunsInput.reason': text(),
  'BulkForkInput.input': text({}),
  'BulkForkInput.state': text({}),
  'BulkForkInput.stepPath': text('step'),
  'BulkSignalInput.name': text('go'),
  'BulkSignalInput.payload': text({}),
  'CancelOperationInput.id': id('operation'),
  'CancelOperationInput.reason': text(),
  'CancelRunInput.id': id('run'),
  'CancelRunInput.reason': text(),
  'CancelTaskInput.id': id('task'),
  'CancelTaskInput.reason': text(),
  'CompleteTaskByHandInput.id': id('task'),
  'CompleteTaskByHandInput.output': text({}),
  'CompleteTaskByHandInput.reason': text(),
  'ContainInput.id': id('agent'),
  'ContainInput.reason': text(),
  'ExplainRoutingInput.capabilities': text('text'),
  // Looked up among the models that the asker sees.
  'ExplainRoutingInput.models': {
    base: ({ ids }) => ids.model,
    namings: [
      {
        of: ({ ids }) => ids.model,
        nobodys: ({ ids }) => likeOf(ids.model),
        malformed: NUL,
        stored: true,
        within: (model) => [model],
      },
    ],
  },
  'ExplainRoutingInput.providers': text(),
  'ExplainRoutingInput.taskType': text('write'),
  'ForkRunInput.id': id('run'),
  'ForkRunInput.idempotencyKey': text('some key'),
  'ForkRunInput.input': text({}),
  'ForkRunInput.reason': text(),
  'ForkRunInput.state': text({}),
  'ForkRunInput.stepPath': text('step'),
  'LiftContainmentInput.id': id('containment'),
  'LiftContainmentInput.reason': text(),
  'PauseRunInput.id': id('run'),
  'PauseRunInput.reason': text(),
  'PrioritizeTaskInput.id': id('task'),
  'PrioritizeTaskInput.reason': text(),
  'ReassignTaskInput.agentId': id('agent'),
  'ReassignTaskInput.id': spareId('task'),
  'ReassignTaskInput.reason': text(),
  'ResumeRunInput.id': id('run'),
  'ResumeRunInput.reason': text(),
  'RetryRunInput.id': id('run'),
  'RetryRunInput.reason': text(),
  'RetryTaskInput.id': id('task'),
  'RetryTaskInput.reason': text(),
  'Subscription.operationEvents(operationId:)': id('operation'),
  'RunFilterInput.errorCode': text('SOME_CODE'),
  'RunFilterInput.ids': id('run'),
  'RunFilterInput.workflowId': { ...id('workflow'), always: true },
  'SkipTaskInput.id': id('task'),
  'SkipTaskInput.output': text({}),
  'SkipTaskInput.reason': text(),
  'TerminateRunInput.id': id('run'),
  'TerminateRunInput.reason': text(),
  'BoardClaimInput.id': id('boardItem'),
  'ClaimTasksInput.agent': name('agent'),
  'ClaimTasksInput.capabilities': { ...name('capability'), insteadOf: 'agent' },
  'CompleteTaskInput.output': text({}),
  'CompleteTaskInput.token': text(),
  'FailTaskInput.code': text('CODE'),
  'FailTaskInput.message': text(),
  'FailTaskInput.token': text(),
  'HeartbeatTaskInput.token': text(),
  'ReleaseTaskInput.token': text(),
  'ClaimBoardItemsInput.agentId': id('agent'),
  'ClaimBoardItemsInput.capabilities': { ...name('boardCapability'), insteadOf: 'agentId' },
  'CompleteBoardItemInput.id': id('boardItem'),
  'CompleteBoardItemInput.output': text({}),
  'FailBoardItemInput.code': text('CODE'),
  'FailBoardItemInput.id': id('boardItem'),
  'FailBoardItemInput.message': text(),
  'PostToBoardInput.capability': text('capability'),
  'PostToBoardInput.idempotencyKey': {
    namings: name('boardKey').namings.map((naming) => ({ ...naming, spent: true })),
  },
  'PostToBoardInput.input': text({}),
  'ReleaseBoardItemInput.id': id('boardItem'),
  'CreateApiKeyInput.kind': text('person'),
  'CreateApiKeyInput.principalName': name('principal'),
  'CreateApiKeyInput.roles': text('viewer'),
  'CreateDomainInput.name': name('domain'),
  'CreateTeamInput.domainId': id('domain'),
  'CreateTeamInput.name': name('team'),
  'CreateTeamInput.priority': text('high'),
  'CreateTriggerInput.cron': text('@daily'),
  'CreateTriggerInput.eventType': { ...text('test.type'), always: true },
  'CreateTriggerInput.expressions': text({}),
  'CreateTriggerInput.filter': text('true'),
  'CreateTriggerInput.idempotencyKey': text('payload'),
  'CreateTriggerInput.input': text({}),
  'CreateTriggerInput.name': name('trigger'),
  'CreateTriggerInput.signingSecret': text(`whsec_${'A'.repeat(32)}`),
  'CreateTriggerInput.timeZone': text('UTC'),
  'CreateTriggerInput.workflowId': id('workflow'),
  'DeleteCredentialInput.id': spareId('credential'),
  'DecideApprovalInput.comment': text(),
  'DecideApprovalInput.digest': name('digest'),
  'DecideApprovalInput.finalArguments': text({}),
  'DecideApprovalInput.id': id('approval'),
  'DeleteTriggerInput.id': spareId('trigger'),
  'FireTriggerInput.id': id('trigger'),
  'FireTriggerInput.idempotencyKey': {
    namings: name('firingKey').namings.map((naming) => ({ ...naming, spent: true })),
  },
  'FireTriggerInput.payload': text({}),
  'MigrateRunsFilter.ids': id('run'),
  // A place among one's own runs.
  'MigrateRunsInput.after': text(),
  'MigrateRunsInput.workflowId': id('workflow'),
  'OpenIncidentInput.description': text(),
  'OpenIncidentInput.teamId': spareId('team'),
  'OpenIncidentInput.title': text(),
  'OpenIncidentInput.workflowId': spareId('workflow'),
  'PauseTriggerInput.id': id('trigger'),
  'PublishEventInput.data': text({}),
  'PublishEventInput.id': {
    base: ({ names }) => names.eventId,
    namings: name('eventId').namings.map((naming) => ({ ...naming, spent: true })),
  },
  'PublishEventInput.runId': spareId('run'),
  'PublishEventInput.source': text('test'),
  'PublishEventInput.subject': text(),
  'PublishEventInput.type': text('test.type'),
  'PublishWorkflowVersionInput.workflowId': id('workflow'),
  'RecordHeartbeatInput.token': text(),
  'RegisterAgentInput.document': {
    base: () => agentDocument('probe'),
    namings: [
      {
        of: ({ spare }) => spare.names.agent,
        nobodys: () => mark('agent'),
        malformed: NUL,
        within: (agent) => agentDocument(agent),
      },
    ],
  },
  'RegisterAgentInput.teamId': id('team'),
  'DeclareValueInput.note': text(),
  'DeclareValueInput.runId': id('run'),
  'RemoveBudgetInput.id': spareId('budget'),
  'RemoveLimitInput.id': spareId('limit'),
  'RemoveModelInput.id': spareId('model'),
  'ReportProgressInput.data': text({}),
  'ReportProgressInput.message': text(),
  // Signed, and of one organization: progress.test.ts says so.
  'ReportProgressInput.token': text(),
  'RequestApprovalInput.action': text(),
  'RequestApprovalInput.arguments': text({}),
  'RequestApprovalInput.idempotencyKey': name('approvalKey'),
  'RequestApprovalInput.reason': text(),
  'RequestApprovalInput.title': text(),
  'ResolveEscalationInput.id': id('escalation'),
  'ResolveEscalationInput.resolution': text(),
  'ResolveIncidentInput.id': spareId('incident'),
  'ResolveIncidentInput.resolution': text(),
  'ResumeTriggerInput.id': id('trigger'),
  'RetireAgentInput.id': id('agent'),
  'RetireAgentInput.reason': text(),
  'RevokeApiKeyInput.id': id('apiKey'),
  'SignalRunInput.idempotencyKey': text('some key'),
  'SignalRunInput.name': text('some signal'),
  'SignalRunInput.payload': text({}),
  'SignalRunInput.runId': id('run'),
  'SetModelInput.capabilities': text('text'),
  'SetModelInput.name': text('name'),
  'SetModelInput.provider': text('provider'),
  'SetModelInput.quality': text({}),
  'SetModelPriceInput.modelId': id('model'),
  'SetRouterSettingsInput.document': text('premium_models: []'),
  'SetBudgetInput.agentId': id('agent'),
  'SetBudgetInput.domainId': id('domain'),
  // Of the spare set, which is removed by then: what is set anew counts from nothing, and another door shows what is counted.
  'SetBudgetInput.name': {
    base: () => 'probe',
    namings: [
      { of: ({ spare }) => spare.names.budget, nobodys: () => mark('budget'), malformed: NUL, stored: true },
    ],
  },
  'SetBudgetInput.runId': id('run'),
  'SetBudgetInput.step': text('step'),
  'SetBudgetInput.teamId': id('team'),
  'SetBudgetInput.workflowId': id('workflow'),
  'SetLimitInput.agentId': id('agent'),
  'SetLimitInput.key': {
    namings: [
      { of: ({ names }) => names.limitKey, nobodys: () => mark('key'), malformed: NUL, stored: true },
    ],
  },
  'SetLimitInput.name': name('limit'),
  'SetLimitInput.workflowId': id('workflow'),
  'SearchTaskLogsInput.agentId': id('agent'),
  'SearchTaskLogsInput.runId': id('run'),
  'SearchTaskLogsInput.search': name('logWord'),
  'SearchTaskLogsInput.workflowId': id('workflow'),
  'StartRunInput.idempotencyKey': {
    namings: name('runKey').namings.map((naming) => ({ ...naming, spent: true })),
  },
  'StartRunInput.input': text({ message: 'some text' }),
  'StartRunInput.workflowId': { ...id('workflow'), always: true },
  'StartRunInput.workflowName': { ...name('workflow'), insteadOf: 'workflowId' },

  'TaskLogLineInput.data': text({}),
  'TaskLogLineInput.message': text(),

  'TestDecisionInput.after': text('1h'),
  'TestDecisionInput.by': text(),
  'TestDecisionInput.comment': text(),
  'TestDecisionInput.step': text('step'),
  'TestErrorInput.code': text('CODE'),
  'TestErrorInput.message': text(),
  'TestErrorInput.retryAfter': text('1s'),
  'TestEventInput.at': text('1d'),
  'TestEventInput.data': text({}),
  'TestEventInput.source': text('source'),
  'TestEventInput.subject': text('subject'),
  'TestEventInput.type': text('test.type'),
  'TestMockInput.agent': text('agent'),
  'TestMockInput.capability': text('capability'),
  'TestMockInput.expression': text('input'),
  'TestMockInput.latency': text('1s'),
  'TestMockInput.output': text({}),
  'TestMockInput.step': text('step'),
  'TestMockInput.workflow': text('workflow'),
  'TestOutcomeInput.expression': text('input'),
  'TestOutcomeInput.latency': text('1s'),
  'TestOutcomeInput.output': text({}),
  'TestRunInput.document': text(workflowDocument('tested', 'agent')),
  'TestRunInput.input': text({ message: 'some text' }),
  'TestRunInput.workflowId': { ...id('workflow'), always: true },
  'TestRunInput.workflowName': { ...name('workflow'), insteadOf: 'workflowId' },
  'TestSignalInput.at': text('1d'),
  'TestSignalInput.name': text('signal'),
  'TestSignalInput.payload': text({}),

  'DeployAgentInput.document': {
    base: () => agentDocument(mark('probe')),
    namings: [
      {
        of: ({ spare }) => spare.names.agent,
        nobodys: () => mark('agent'),
        malformed: NUL,
        within: (agent) => agentDocument(agent),
        stored: true,
      },
    ],
  },
  'DeployAgentInput.idempotencyKey': text(),
  'DeployAgentInput.teamId': id('team'),
  'ScaleAgentInput.agentId': id('agent'),
  'ScaleAgentInput.reason': text(),
  'ServeAgentVersionInput.agentId': id('agent'),
  'UpdateAgentInput.agentId': id('agent'),
  'UpdateAgentInput.document': {
    base: ({ names }) => agentDocument(names.agent, names.agentType, names.capability),
    namings: [],
  },
  'UpdateTriggerInput.cron': text('@daily'),
  'UpdateTriggerInput.eventType': text('test.type'),
  'UpdateTriggerInput.expressions': text({}),
  'UpdateTriggerInput.filter': text('true'),
  'UpdateTriggerInput.id': id('trigger'),
  'UpdateTriggerInput.idempotencyKey': text('payload'),
  'UpdateTriggerInput.input': text({}),
  // Of the spare set, since the other's name has been given to a trigger made by then.
  'UpdateTriggerInput.name': {
    namings: [
      {
        of: ({ spare }) => spare.names.trigger,
        nobodys: () => mark('trigger'),
        malformed: NUL,
        stored: true,
      },
    ],
  },
  'UpdateTriggerInput.signingSecret': text(`whsec_${'A'.repeat(32)}`),
  'UpdateTriggerInput.timeZone': text('UTC'),

  'RotateCredentialInput.id': id('credential'),
  'RotateCredentialInput.value': text('some-other-secret-value'),
  'RotateDataKeyInput.reason': text(),
  'HealthSettingsInput.path': text('/health'),
  'HealthSettingsInput.syntheticInput': text({}),
  'ResetBreakerInput.agentId': { ...id('agent'), always: true },
  'ResetBreakerInput.provider': text(null),
  'SetReliabilityInput.agentId': id('agent'),
  'SetScalingPolicyInput.agentId': id('agent'),
  'SimulateScalingInput.agentId': { ...id('agent'), insteadOf: 'agentType' },
  'SimulateScalingInput.agentType': { ...name('agentType'), insteadOf: 'agentId' },
  'SetReliabilityInput.fallbackAnswer': text({}),
  'SetCredentialInput.agentId': id('agent'),
  'SetCredentialInput.name': name('credential'),
  'SetCredentialInput.origins': text('https://agents.example.com'),
  'SetCredentialInput.provider': text(null),
  'SetCredentialInput.value': text('some-secret-value'),

  'RunEventFilter.agentId': shownByWorkflow('agent'),
  'RunEventFilter.domainId': shownByWorkflow('domain'),
  'RunEventFilter.runId': id('run'),
  'RunEventFilter.types': text('run.started'),
  'RunEventFilter.workflowId': id('workflow'),
  'Subscription.agentHealth(agentId:)': id('agent'),
  'Subscription.agentInbox(agent:)': name('agent'),
  'Subscription.tasksAvailable(agent:)': shownByAgent('agent'),
  'Subscription.tasksAvailable(capabilities:)': shownByAgent('capability'),
  'TaskEventFilter.agentId': id('agent'),
  'TaskEventFilter.domainId': shownByWorkflow('domain'),
  'TaskEventFilter.runId': id('run'),
  'TaskEventFilter.types': text('task.ready'),
  'TaskEventFilter.workflowId': id('workflow'),
}

/** Places in the feed of events: the probe of subscriptions has its own samples for them. */
export const FEED_CURSORS = [
  'Subscription.agentHealth(after:)',
  'Subscription.agentInbox(after:)',
  'Subscription.escalationEvents(after:)',
  'Subscription.incidentEvents(after:)',
  'Subscription.operationEvents(after:)',
  'Subscription.qualityEvents(after:)',
  'Subscription.runEvents(after:)',
  'Subscription.taskEvents(after:)',
  'Subscription.tasksAvailable(after:)',
]

/** What `_entities` resolves, by type. */
export const ENTITIES: Record<string, Kind> = {
  Agent: 'agent',
  AgentMessage: 'agentMessage',
  Anomaly: 'anomaly',
  ApiKey: 'apiKey',
  Approval: 'approval',
  Article: 'article',
  AuditEntry: 'auditEntry',
  BoardItem: 'boardItem',
  Budget: 'budget',
  Domain: 'domain',
  Escalation: 'escalation',
  Incident: 'incident',
  Organization: 'organization',
  OutboundMessage: 'message',
  QualityAssessment: 'assessment',
  Run: 'run',
  Task: 'task',
  Team: 'team',
  Trigger: 'trigger',
  Workflow: 'workflow',
  WorkflowVersion: 'workflowVersion',
}
