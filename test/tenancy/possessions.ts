import { randomBytes } from 'node:crypto'
import { sendMessage } from '@tutti/agents/domain'
import { openEscalation, requestApproval, workExport } from '@tutti/governance/domain'
import { recordAssessment } from '@tutti/metrics/domain'
import { appendTaskLogs } from '@tutti/workflows/domain'
import type { Organization } from '../world/organization.ts'
import type { World } from '../world/start-world.ts'

/** Ids of one of everything that an organization can have. */
export type Kind =
  | 'organization'
  | 'domain'
  | 'team'
  | 'agent'
  | 'workflow'
  | 'workflowVersion'
  | 'taskLog'
  | 'run'
  | 'task'
  | 'approval'
  | 'approvalDelegation'
  | 'escalation'
  | 'escalationPolicy'
  | 'notification'
  | 'notificationChannel'
  | 'onCallSchedule'
  | 'onCallOverride'
  | 'incident'
  | 'putAsideEvent'
  | 'auditEntry'
  | 'auditExport'
  | 'legalHold'
  | 'erasure'
  | 'apiKey'
  | 'principal'
  | 'accessGroup'
  | 'roleAssignment'
  | 'breakGlass'
  | 'identityProvider'
  | 'article'
  | 'assessment'
  | 'anomaly'
  | 'message'
  | 'limit'
  | 'settings'
  | 'trigger'
  | 'firing'
  | 'operation'
  | 'containment'
  | 'boardItem'
  | 'agentMessage'
  | 'agentRequest'
  | 'broadcast'
  | 'messagePolicy'
  | 'model'
  | 'modelCall'
  | 'budget'
  | 'credential'
  | 'agentVersion'
  | 'deployment'
  | 'connector'
  | 'breaker'
  | 'sharedResource'
  | 'resourceBooking'
  | 'quota'
  | 'policy'
  | 'policyException'
  | 'rebalance'

/** What it calls them: names, keys and words by which something is found. */
export type Name =
  | 'domain'
  | 'agent'
  | 'agentType'
  | 'capability'
  | 'workflow'
  | 'principal'
  | 'accessRole'
  | 'accessGroup'
  | 'mappedGroup'
  | 'digest'
  | 'delegate'
  | 'onCallPerson'
  | 'onCallSchedule'
  | 'tool'
  | 'toolHash'
  | 'runKey'
  | 'logWord'
  | 'approvalKey'
  | 'assessmentKey'
  | 'article'
  | 'word'
  | 'tag'
  | 'team'
  | 'limit'
  | 'limitKey'
  | 'trigger'
  | 'firingKey'
  | 'eventId'
  | 'operationKey'
  | 'boardCapability'
  | 'boardKey'
  | 'messageKey'
  | 'messagePolicy'
  | 'credential'
  | 'connector'
  | 'connectorCredential'
  | 'budget'
  | 'sharedResource'
  | 'policy'
  | 'dataSubject'

export interface Everything {
  ids: Record<Kind, string>
  names: Record<Name, string>
}

/** What an organization has; a second set is spent where naming a thing makes one of that name. */
export interface Possessions extends Everything {
  org: Organization
  spare: Everything
}

/** A text that is nowhere else: a word and 32 hex digits. */
export const mark = (word: string): string => `${word}-${randomBytes(16).toString('hex')}`

/** A word of letters that is nowhere else, as a search can find it. */
export const uncommonWord = (): string =>
  `zq${[...randomBytes(12)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('')}`

/** An agent as a rebalancing saw it. */
const REBALANCED = { tasksNow: 1, tasksPeak: 2, slots: 3, utilisation: 0.5, responseP95Ms: null, costUsd: 0 }

/** An agent's document. */
export const agentDocument = (name: string, type = 'test.agent', capability = 'test'): string => `
metadata: { name: ${name}, type: ${type}, version: 1.0.0 }
capabilities: [${capability}]
executor: { type: builtin, function: sentiment }
`

/** A workflow's document: one step by this agent. */
export const workflowDocument = (name: string, agent: string): string => `
name: ${name}
inputs: [message]
steps:
  - { name: step, agent: ${agent}, input: message, output: answer }
`

/** A document of settings that limits nothing. */
export const settingsDocument = (platform: string): string =>
  `integration_preferences: { messaging_platform: ${platform} }`

/** Makes one of everything in an organization, every text of it bearing a mark. */
export async function makeEverything(world: World, org: Organization): Promise<Everything> {
  const { ids, names } = await makeByMutations(org)
  const { database } = world.data
  while (await workExport({ database }, { organizationId: org.id, id: ids.auditExport }));
  const [admin, operator] = [org.actor('admin'), org.actor('operator')]
  const from = { runId: ids.run, taskId: ids.task }
  const question = () => ({
    title: mark('title'),
    action: mark('action'),
    arguments: { argument: mark('argument') },
    reason: mark('reason'),
  })
  const approval = await requestApproval({ database }, operator, {
    ...question(),
    ...from,
    requestKey: mark('key'),
  })
  const decided = await requestApproval({ database }, operator, { ...question(), requestKey: mark('key') })
  await org
    .as('approver')
    .query(
      'mutation($id: ID!, $comment: String) { decideApproval(input: { id: $id, decision: APPROVE, comment: $comment }) { approval { id } } }',
      { id: decided.id, comment: mark('comment') },
    )
  const escalation = await openEscalation({ database }, operator, {
    ...from,
    requestKey: mark('key'),
    title: mark('title'),
    reason: mark('reason'),
    level: 'person',
    context: { context: mark('context') },
    approval: question(),
  })
  await org
    .as('admin')
    .query(
      'mutation($input: ReassignEscalationInput!) { reassignEscalation(input: $input) { escalation { id } } }',
      { input: { id: escalation.id, to: names.onCallPerson, reason: mark('reason') } },
    )
  const { message } = await sendMessage({ database }, admin, {
    ...from,
    agentId: ids.agent,
    idempotencyKey: mark('key'),
    channel: mark('channel'),
    recipient: mark('recipient'),
    body: mark('body'),
  })
  const assessment = await recordAssessment({ database }, admin, {
    ...from,
    agentId: ids.agent,
    workflowId: ids.workflow,
    requestKey: mark('key'),
    scorer: mark('scorer'),
    criteriaVersion: 1,
    overallScore: 0.123,
    confidence: 0.456,
    belowMinimum: true,
    dimensions: [{ name: mark('dimension'), score: 0.789, reasons: [mark('reason')] }],
    recommendations: [mark('recommendation')],
    flags: [mark('flag')],
  })
  const [signal] = await world.asOwner(
    `insert into run_signal (organization_id, run_id, name, payload, sent_by, idempotency_key)
     values ($1, $2, $3, $4, $5, $6) returning id`,
    [org.id, ids.run, mark('signal'), { payload: mark('payload') }, { id: mark('sender') }, mark('key')],
  )
  if (!signal) throw new Error('No signal was stored.')
  const [settings] = await world.asOwner<{ id: string }>(
    'select id from engine_settings where organization_id = $1 order by version desc limit 1',
    [org.id],
  )
  const logWord = mark('word')
  const said = `${mark('line')} ${logWord}`
  await appendTaskLogs({ database }, admin, [
    { taskId: ids.task, level: 'info', message: said, data: { data: mark('data') } },
  ])
  const [line] = await world.asOwner<{ id: string }>(
    'select id from task_log where organization_id = $1 and message = $2',
    [org.id, said],
  )
  // What only workers make.
  await world.asOwner(
    'insert into connector_delivery (organization_id, connector, delivery) values ($1, $2, $3)',
    [org.id, names.connector, mark('delivery')],
  )
  await world.asOwner(
    `insert into containment_stop (organization_id, containment_id, strand_id, run_id, workflow_id, task_id, fence, lease_end)
     values ($1, $2, uuidv7(), $3, $4, $5, 7, now())`,
    [org.id, ids.containment, ids.run, ids.workflow, ids.task],
  )
  await world.asOwner(
    'update board_item set run_id = $2, task_id = $3, workflow_id = $4 where organization_id = $1 and id = $5',
    [org.id, ids.run, ids.task, ids.workflow, ids.boardItem],
  )
  const [breaker] = await world.asOwner<{ id: string }>(
    `insert into breaker (organization_id, scope, subject, state, open_ms, retry_at, error)
     values ($1, 'provider', $2, 'open', 60000, now() + interval '1 hour', $3) returning id`,
    [org.id, mark('provider'), { code: mark('code'), message: mark('message') }],
  )
  await world.asOwner(
    `insert into agent_health (organization_id, id, status, failures, last_error) values ($1, $2, 'unhealthy', 3, $3)
     on conflict (organization_id, id) do update set status = 'unhealthy', last_error = excluded.last_error`,
    [org.id, ids.agent, mark('reason')],
  )
  await world.asOwner(
    'insert into reliability_settings (organization_id, id, settings) values ($1, $2, $3)',
    [org.id, ids.agent, { fallbackAnswer: mark('answer') }],
  )
  await world.asOwner(
    `insert into agent_load (organization_id, agent_id, minute, samples, instances, slots, running_average, running_max, queued,
       queued_max) values ($1, $2, date_trunc('minute', now()), 12, 1, 1, 0.5, 1, 2, 3)`,
    [org.id, ids.agent],
  )
  await world.asOwner(
    `insert into agent_scaling (organization_id, id, refusal) values ($1, $2, $3)
     on conflict (organization_id, id) do update set refusal = excluded.refusal`,
    [org.id, ids.agent, { at: '2026-11-21T12:00:00Z', wanted: 3, message: mark('refusal') }],
  )
  const [notification] = await world.asOwner<{ id: string }>(
    `insert into notification (organization_id, key, subject, turn, recipient, kind, address, message, status)
     values ($1, $2, $3, 1, $4, 'email', $5, $6, 'delivered') returning id`,
    [
      org.id,
      mark('key'),
      `escalation/${escalation.id}`,
      mark('recipient'),
      `${mark('address')}@example.com`,
      { type: 'escalation.waiting', title: mark('title'), lines: [mark('line')], data: {} },
    ],
  )
  const [putAside] = await world.asOwner<{ id: string }>(
    `insert into put_aside_event (organization_id, consumer, seq, type, subject, code, message, tries, status)
     values ($1, $2, 1, 'task.waiting', $3, 'BAD_INPUT', $4, 1, 'done') returning id`,
    [org.id, mark('consumer'), mark('subject'), mark('message')],
  )
  await world.asOwner(
    `insert into decision_link (organization_id, token_hash, subject, round, principal_id, expires_at)
     values ($1, encode(sha256(convert_to($2, 'UTF8')), 'hex'), $3, 1, uuidv7(), now() + interval '1 day')`,
    [org.id, mark('link'), `escalation/${escalation.id}`],
  )
  await world.asOwner('insert into known_person (organization_id, id, name) values ($1, $2, $3)', [
    org.id,
    mark('sub'),
    mark('name'),
  ])
  const [modelCall] = await world.asOwner<{ id: string }>(
    `insert into model_call (organization_id, run_id, task_id, agent_id, model_id, provider, input_tokens, output_tokens,
       cached_tokens, cost_usd, latency_ms, outcome, reason)
     values ($1, $2, $3, $4, $5, $6, 100, 10, 0, 0.001, 500, 'ok', $7) returning id`,
    [org.id, ids.run, ids.task, ids.agent, ids.model, mark('provider'), { reason: mark('reason') }],
  )
  await world.asOwner(
    `insert into model_response (organization_id, id, model_id, text, input_tokens, output_tokens, cost_usd, expires_at)
     values ($1, $2, $3, $4, 100, 10, 0.001, now() + interval '1 day')`,
    [org.id, mark('response'), ids.model, mark('answer')],
  )
  await world.asOwner(
    `insert into budget_use (organization_id, budget_id, subject, since, used_usd)
     values ($1, $2, $3::text, timestamptz '1970-01-01T00:00:00Z', 0.123)`,
    [org.id, ids.budget, ids.run],
  )
  await world.asOwner(
    `insert into budget_reservation (organization_id, budget_ids, subjects, since, usd, tokens, calls, most_usd,
       most_tokens, expires_at)
     values ($1, array[$2::uuid], array[$3::text], array[timestamptz '1970-01-01T00:00:00Z'], 0.1, 1, 1, 0.1, 1,
       now() + interval '1 day')`,
    [org.id, ids.budget, ids.run],
  )
  await world.asOwner(
    `insert into agent_tool_pin (organization_id, agent_id, tool, hash, description, pinned_by, pending_hash,
       pending_description, pending_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, now())`,
    [
      org.id,
      ids.agent,
      names.tool,
      names.toolHash,
      mark('description'),
      { id: mark('pinner'), kind: 'agent', name: 'agent' },
      randomBytes(32).toString('hex'),
      mark('description'),
    ],
  )
  await world.asOwner('update task set cost_usd = cost_usd + 0.25 where organization_id = $1 and id = $2', [
    org.id,
    ids.task,
  ])
  await world.asOwner(
    `insert into agent_retirement (organization_id, agent_id, status, reason, requested_by, deadline, final_state)
     values ($1, $2, 'cancelled', $3, $4, now(), $5)`,
    [org.id, ids.agent, mark('reason'), { id: mark('actor') }, { state: mark('state') }],
  )
  const [deployment] = await world.asOwner<{ id: string }>(
    `insert into agent_deployment (organization_id, agent_id, agent_name, is_new, request, status, stages, requested_by)
     values ($1, $2, $3, false, $4, 'completed', $5, $6) returning id`,
    [
      org.id,
      ids.agent,
      names.agent,
      { document: mark('document'), instances: 1, teamId: null, files: [] },
      JSON.stringify([]),
      { id: mark('actor'), kind: 'person', name: mark('name') },
    ],
  )
  const [quota] = await world.asOwner<{ id: string }>(
    'insert into agent_quota (organization_id, domain_id, max_instances) values ($1, $2, 40) returning id',
    [org.id, ids.domain],
  )
  const [rebalance] = await world.asOwner<{ id: string }>(
    `insert into rebalance (organization_id, status, cause, requested_by, idempotency_key, actions, overloaded)
     values ($1, 'applied', 'request', $2, $3, $4, '[]') returning id`,
    [
      org.id,
      { id: mark('actor'), kind: 'person', name: mark('name') },
      mark('key'),
      JSON.stringify([
        {
          action: 'migrate',
          agentId: ids.agent,
          name: names.agent,
          toAgentId: ids.agent,
          toName: names.agent,
          from: 0,
          to: 20,
          reason: mark('reason'),
          figures: REBALANCED,
          toFigures: REBALANCED,
          refusal: null,
        },
      ]),
    ],
  )
  await world.asOwner(
    'insert into agent_share (organization_id, agent_id, to_agent_id, percent) values ($1, $2, $2, 20)',
    [org.id, ids.agent],
  )
  await world.asOwner(
    `insert into rebalance_settings (organization_id, id, interval_seconds, next_at)
     values ($1, $1, 86400, now() + interval '1 day') on conflict do nothing`,
    [org.id],
  )
  await world.asOwner(
    `insert into session (organization_id, principal_id, hash, expires_at)
     values ($1, $2, encode(sha256(gen_random_uuid()::text::bytea), 'hex'), now() + interval '1 hour')`,
    [org.id, ids.principal],
  )
  const [version] = await world.asOwner<{ id: string }>(
    'select id from agent_version where organization_id = $1 and agent_id = $2',
    [org.id, ids.agent],
  )
  const [anomaly] = await world.asOwner<{ id: string }>(
    `insert into anomaly (organization_id, request_key, type, severity, scope, workflow_id, value, threshold, description)
     values ($1, $2, $3, 'high', $4, $5, 0.5, 0.1, $6) returning id`,
    [org.id, mark('key'), mark('type'), mark('scope'), ids.workflow, mark('description')],
  )
  await world.asOwner(
    `insert into run_outcome (organization_id, id, workflow_id, workflow_name, outcome, ended_at)
     values ($1, uuidv7(), $2, $3, 'failed', now())`,
    [org.id, ids.workflow, names.workflow],
  )
  await world.asOwner(
    `insert into quality_criteria (organization_id, name, version, minimum_score, criteria) values ($1, $2, 1, 0.7, $3)`,
    [org.id, mark('criteria'), { criteria: mark('criteria') }],
  )
  return {
    ids: {
      ...ids,
      approval: approval.id,
      escalation: escalation.id,
      message: message.id,
      assessment: assessment.id,
      anomaly: anomaly?.id ?? '',
      agentVersion: version?.id ?? '',
      deployment: deployment?.id ?? '',
      taskLog: line?.id ?? '',
      modelCall: modelCall?.id ?? '',
      notification: notification?.id ?? '',
      putAsideEvent: putAside?.id ?? '',
      breaker: breaker?.id ?? '',
      quota: quota?.id ?? '',
      rebalance: rebalance?.id ?? '',
      settings: settings?.id ?? '',
    },
    names: { ...names, digest: approval.digest, logWord },
  }
}

interface Made {
  ids: Omit<
    Record<Kind, string>,
    | 'approval'
    | 'escalation'
    | 'message'
    | 'assessment'
    | 'anomaly'
    | 'settings'
    | 'taskLog'
    | 'modelCall'
    | 'notification'
    | 'putAsideEvent'
    | 'breaker'
    | 'quota'
    | 'rebalance'
    | 'agentVersion'
    | 'deployment'
  >
  names: Omit<Record<Name, string>, 'digest' | 'logWord'>
}

async function makeByMutations(org: Organization): Promise<Made> {
  const admin = org.as('admin')
  /** Calls a mutation with one input; the answer's JSON is as the selection says. */
  const call = async (field: string, input: object, selection: string) => {
    const type = `${field[0]?.toUpperCase()}${field.slice(1)}Input`
    const data = await admin.query<Record<string, Record<string, Entity>>>(
      `mutation($input: ${type}!) { ${field}(input: $input) { ${selection} } }`,
      { input },
    )
    return data[field] ?? {}
  }
  interface Entity {
    id: string
    version?: { id: string }
    tasks?: { id: string }[]
    latestVersion?: { id: string }
    principalId?: string
    assignmentId?: string
  }
  const idOf = (entity: Entity | undefined): string => entity?.id ?? ''
  const names = {
    domain: mark('domain'),
    team: mark('team'),
    agent: mark('agent'),
    agentType: `test.${mark('type').replace('-', '_')}`,
    capability: mark('capability'),
    workflow: mark('workflow'),
    principal: mark('principal'),
    accessRole: mark('role'),
    accessGroup: mark('group'),
    mappedGroup: mark('group'),
    runKey: mark('key'),
    limit: mark('limit'),
    limitKey: mark('key'),
    trigger: mark('trigger'),
    firingKey: mark('key'),
    operationKey: mark('key'),
    boardCapability: mark('capability'),
    boardKey: mark('key'),
    messageKey: mark('key'),
    messagePolicy: mark('policy'),
    policy: mark('policy'),
    credential: mark('credential'),
    dataSubject: `customer/${mark('customer')}`,
    connector: mark('connector'),
    connectorCredential: mark('credential'),
    tool: mark('tool'),
    toolHash: randomBytes(32).toString('hex'),
    budget: mark('budget'),
    sharedResource: mark('resource'),
    eventId: mark('event'),
    approvalKey: mark('key'),
    delegate: mark('delegate'),
    onCallPerson: mark('person'),
    onCallSchedule: mark('schedule'),
    assessmentKey: mark('key'),
    article: mark('article'),
    word: uncommonWord(),
    tag: mark('tag'),
  }
  const { domain } = await call('createDomain', { name: names.domain }, 'domain { id }')
  const { team } = await call('createTeam', { domainId: idOf(domain), name: names.team }, 'team { id }')
  const document = agentDocument(names.agent, names.agentType, names.capability)
  const { agent } = await call('registerAgent', { document, teamId: idOf(team) }, 'agent { id }')
  const { workflow } = await call(
    'applyWorkflow',
    { document: workflowDocument(names.workflow, names.agent) },
    'workflow { id latestVersion { id } }',
  )
  const { run } = await call(
    'startRun',
    { workflowId: idOf(workflow), input: { message: mark('message') }, idempotencyKey: names.runKey },
    'run { id tasks { id } }',
  )
  const { operation } = await call(
    'bulkControlRuns',
    {
      action: 'PAUSE',
      filter: { ids: [idOf(run)] },
      reason: mark('reason'),
      dryRun: true,
      idempotencyKey: names.operationKey,
    },
    'operation { id }',
  )
  const { containment } = await call(
    'contain',
    { scope: 'AGENT', id: idOf(agent), reason: mark('reason') },
    'containment { id }',
  )
  await call('liftContainment', { id: idOf(containment), reason: mark('reason') }, 'containment { id }')
  const { limit } = await call(
    'setLimit',
    { name: names.limit, key: names.limitKey, maxRunning: 5 },
    'limit { id }',
  )
  await call('applySettings', { document: settingsDocument(mark('platform')) }, 'settings { version }')
  const { trigger } = await call(
    'createTrigger',
    { workflowId: idOf(workflow), name: names.trigger, kind: 'WEBHOOK', input: { message: mark('message') } },
    'trigger { id }',
  )
  const { firing } = await call(
    'fireTrigger',
    { id: idOf(trigger), idempotencyKey: names.firingKey },
    'firing { id run { id } }',
  )
  await admin.query('mutation($input: PublishEventInput!) { publishEvent(input: $input) { created } }', {
    input: {
      type: `test.${mark('type').replace('-', '_')}`,
      source: 'test',
      id: names.eventId,
      data: { data: mark('data') },
    },
  })
  await call(
    'requestApproval',
    {
      title: mark('title'),
      action: mark('action'),
      arguments: {},
      reason: mark('reason'),
      idempotencyKey: names.approvalKey,
    },
    'approval { id }',
  )
  const { delegation } = await call(
    'delegateApprovals',
    {
      to: names.delegate,
      until: new Date(Date.now() + 86_400_000).toISOString(),
      actions: [mark('action')],
      reason: mark('reason'),
    },
    'delegation { id }',
  )
  await call(
    'assessQuality',
    { text: mark('text'), idempotencyKey: names.assessmentKey },
    'assessment { id }',
  )
  const { incident } = await call(
    'openIncident',
    {
      title: mark('title'),
      description: mark('description'),
      impact: 'TEAM',
      teamId: idOf(team),
      workflowId: idOf(workflow),
    },
    'incident { id }',
  )
  const { policy: levels } = await call(
    'setEscalationPolicy',
    {
      teamId: idOf(team),
      levels: [
        {
          level: 'PERSON',
          responsible: { kind: 'GROUP', name: mark('group') },
          acknowledgeWithinSeconds: 60,
          resolveWithinSeconds: 600,
        },
      ],
    },
    'policy { id }',
  )
  const { channel } = await call(
    'setNotificationChannel',
    { ownerKind: 'GROUP', owner: mark('group'), kind: 'CHAT', credential: mark('credential') },
    'channel { id }',
  )
  const rotation = (name: string) => ({
    name,
    timeZone: 'Europe/Berlin',
    participants: [names.onCallPerson],
    length: 1,
    unit: 'DAY',
    handoffTime: '09:00',
    startsOn: '2026-11-21',
  })
  const { schedule } = await call('setOnCallSchedule', rotation(names.onCallSchedule), 'schedule { id }')
  // Of another schedule: taking that one away takes no override with it.
  const { schedule: other } = await call('setOnCallSchedule', rotation(mark('schedule')), 'schedule { id }')
  const { override } = await call(
    'overrideOnCall',
    {
      scheduleId: idOf(other),
      person: mark('person'),
      from: '2026-11-21T00:00:00Z',
      until: '2027-11-20T00:00:00Z',
      reason: mark('reason'),
    },
    'override { id }',
  )
  const { entry } = await call(
    'appendAuditEntry',
    {
      actionType: 'decision',
      domain: mark('domain'),
      summary: mark('summary'),
      details: { detail: mark('detail') },
      subject: `run/${idOf(run)}`,
      relatedTasks: [idOf(run?.tasks?.[0])],
      dataSubject: names.dataSubject,
    },
    'entry { id }',
  )
  const forgotten = `customer/${mark('forgotten')}`
  await call(
    'appendAuditEntry',
    {
      actionType: 'decision',
      domain: mark('domain'),
      summary: mark('summary'),
      details: {},
      subject: mark('subject'),
      dataSubject: forgotten,
    },
    'entry { id }',
  )
  const { erasure } = await call(
    'eraseSubject',
    { subject: forgotten, reason: mark('reason') },
    'erasure { id }',
  )
  const { export: exported } = await call(
    'exportAudit',
    { format: 'JSONL', filters: { actionType: 'decision' } },
    'export { id }',
  )
  await call(
    'setAuditRetention',
    { standardDays: 90, significantDays: 365, complianceDays: 3_000 },
    'retention { complianceDays }',
  )
  const { hold } = await call(
    'setLegalHold',
    { reason: mark('reason'), filter: { domain: mark('domain') } },
    'hold { id }',
  )
  const { item } = await call(
    'postToBoard',
    {
      capability: names.boardCapability,
      input: { input: mark('input') },
      idempotencyKey: names.boardKey,
    },
    'item { id }',
  )
  const { credential } = await call(
    'setCredential',
    { name: names.credential, value: mark('value'), agentId: idOf(agent) },
    'credential { id }',
  )
  await call('setCredential', { name: names.connectorCredential, value: mark('value') }, 'credential { id }')
  const { connector } = await call(
    'setConnector',
    {
      name: names.connector,
      category: 'SOCIAL',
      http: { url: `https://${mark('host')}.example.com` },
      inbound: { credential: names.connectorCredential },
    },
    'connector { id }',
  )
  await call('scaleAgent', { agentId: idOf(agent), instances: 2, reason: mark('reason') }, 'agent { id }')
  await call('declareValue', { runId: idOf(run), valueUsd: 12.5, note: mark('note') }, 'run { id }')
  const { budget } = await call(
    'setBudget',
    { name: names.budget, runId: idOf(run), window: 'TOTAL', maxUsd: 1_000_000 },
    'budget { id }',
  )
  await call('setBudget', { name: mark('budget'), agentId: idOf(agent), window: 'TOTAL' }, 'budget { id }')
  const { resource } = await call(
    'setSharedResource',
    { name: names.sharedResource, description: mark('description'), capacity: 2 },
    'resource { id }',
  )
  const { booking } = await call(
    'acquireResource',
    { resource: names.sharedResource, leaseSeconds: 86_400, runId: idOf(run) },
    'booking { id }',
  )
  const to = { agent: names.agent }
  const { message } = await call(
    'sendMessage',
    { to, body: { body: mark('body') }, idempotencyKey: names.messageKey },
    'message { id }',
  )
  const { request } = await call(
    'sendRequest',
    { to, body: { body: mark('body') }, timeoutSeconds: 86_400 },
    'request { id }',
  )
  const broadcast = await admin.query<{ broadcastMessage: { broadcastId: string } }>(
    'mutation($input: BroadcastMessageInput!) { broadcastMessage(input: $input) { broadcastId } }',
    { input: { body: { body: mark('body') } } },
  )
  const { policy } = await call(
    'setMessagePolicy',
    { name: names.messagePolicy, effect: 'ALLOW', from: { type: mark('type') } },
    'policy { id }',
  )
  const { policy: rule } = await call(
    'createPolicy',
    {
      name: names.policy,
      kind: 'ACCESS',
      description: mark('description'),
      actions: ['tool.call'],
      condition: `resource.name == "${mark('resource')}"`,
      effect: 'ALLOW',
    },
    'policy { id }',
  )
  const { exception } = await call(
    'requestPolicyException',
    {
      policyId: idOf(rule),
      reason: mark('reason'),
      actors: [mark('actor')],
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    },
    'exception { id }',
  )
  // Everybody may do what they could, and the lines bear a mark.
  await call(
    'setAuthority',
    {
      entries: ['AGENT', 'DOMAIN', 'ENTERPRISE'].flatMap((level) => [
        { level, action: '*', ruling: 'ALONE' },
        { level, action: '*', ruling: 'ALONE', team: mark('team') },
      ]),
      reason: mark('reason'),
    },
    'matrix { version }',
  )
  const { model } = await call(
    'setModel',
    { provider: 'probe', name: mark('model'), contextTokens: 8_000, maxOutputTokens: 1_000 },
    'model { id }',
  )
  await call('setModelPrice', { modelId: idOf(model), inputUsd: 1, outputUsd: 2 }, 'model { id }')
  await admin.query(
    'mutation($input: SetRouterSettingsInput!) { setRouterSettings(input: $input) { inForce } }',
    {
      input: { document: `premium_models: [${mark('model')}]` },
    },
  )
  const { apiKey } = await call(
    'createApiKey',
    { principalName: names.principal, roles: ['approver'] },
    'apiKey { id principalId }',
  )
  const principalId = apiKey?.principalId ?? ''
  await call(
    'setRole',
    { name: names.accessRole, description: mark('description'), scopes: ['runs:read', 'agents:read'] },
    'role { version }',
  )
  const { group } = await call(
    'setGroup',
    { name: names.accessGroup, description: mark('description'), memberIds: [principalId] },
    'group { id }',
  )
  await call('setGroup', { name: names.mappedGroup, memberIds: [principalId] }, 'group { id }')
  const { assignment } = await call(
    'assignRole',
    { role: names.accessRole, groupId: idOf(group), reason: mark('reason') },
    'assignment { id }',
  )
  const { breakGlass } = await call(
    'breakGlass',
    { reason: mark('reason'), minutes: 240 },
    'breakGlass { id assignmentId }',
  )
  // Nobody breaks it twice at a time, and this is made twice.
  await call('revokeAssignment', { id: breakGlass?.assignmentId }, 'assignment { id }')
  const { identityProvider } = await call(
    'setIdentityProvider',
    {
      issuer: `https://${mark('issuer').toLowerCase()}.example.com`,
      clientId: mark('client'),
      clientSecret: mark('secret-of-client'),
      mapping: [{ claimed: mark('claimed'), group: names.mappedGroup }],
    },
    'identityProvider { id }',
  )
  const published = await admin.query<{ publishArticles: { articles: { id: string }[] } }>(
    'mutation($input: PublishArticlesInput!) { publishArticles(input: $input) { articles { id } } }',
    {
      input: {
        articles: [
          {
            externalId: names.article,
            title: `${mark('title')} ${names.word}`,
            body: `${mark('body')} ${names.word}`,
            tags: [names.tag],
          },
        ],
      },
    },
  )
  return {
    names,
    ids: {
      organization: org.id,
      domain: idOf(domain),
      team: idOf(team),
      agent: idOf(agent),
      workflow: idOf(workflow),
      workflowVersion: workflow?.latestVersion?.id ?? '',
      operation: idOf(operation),
      containment: idOf(containment),
      run: idOf(run),
      limit: idOf(limit),
      trigger: idOf(trigger),
      firing: idOf(firing),
      task: idOf(run?.tasks?.[0]),
      approvalDelegation: idOf(delegation),
      incident: idOf(incident),
      escalationPolicy: idOf(levels),
      notificationChannel: idOf(channel),
      onCallSchedule: idOf(schedule),
      onCallOverride: idOf(override),
      auditEntry: idOf(entry),
      auditExport: idOf(exported),
      legalHold: idOf(hold),
      erasure: idOf(erasure),
      apiKey: idOf(apiKey),
      principal: principalId,
      accessGroup: idOf(group),
      roleAssignment: idOf(assignment),
      breakGlass: idOf(breakGlass),
      identityProvider: idOf(identityProvider),
      credential: idOf(credential),
      connector: idOf(connector),
      boardItem: idOf(item),
      agentMessage: idOf(message),
      agentRequest: idOf(request),
      broadcast: broadcast.broadcastMessage.broadcastId,
      messagePolicy: idOf(policy),
      policy: idOf(rule),
      policyException: idOf(exception),
      model: idOf(model),
      budget: idOf(budget),
      sharedResource: idOf(resource),
      resourceBooking: idOf(booking),
      article: published.publishArticles.articles[0]?.id ?? '',
    },
  }
}
