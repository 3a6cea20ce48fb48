/** An action that somebody may be authorised for. */
export interface GovernedAction {
  /** What it is, in a line. */
  description: string
  /** Mutations of the API by which it is done; none: steps, tools and integrators do it. */
  mutations?: readonly string[]
  /** Where an amount in US dollars stands among the arguments of its mutations, as `input.maxUsd`. */
  amount?: string
  /** The built-in matrix decides about its mutations too, and not only one that the organization has set. */
  always?: true
}

/** Every action that authority and policies speak of: `<area>.<verb>`. */
export const ACTIONS = {
  'implementation.choose': { description: 'How a task is done.' },
  'tactic.choose': { description: 'By which tactical approach a goal is reached.' },
  'tool.call': {
    description: 'Calling a tool that is on the list of the agent; the resource is tool/<name>.',
  },
  'tool.approve': {
    description: 'Letting agents call a tool that is new, or says something else than before.',
    mutations: ['approveTool'],
  },
  'scope.change': { description: 'Doing more, less or something else than was asked for.' },
  'communication.external': { description: 'Saying something to somebody outside of the organization.' },
  'communication.internal': {
    description: 'Messages between the agents of the organization.',
    mutations: ['sendMessage', 'broadcastMessage', 'sendRequest'],
  },
  'resource.request': {
    description: 'Asking for a share of a shared resource.',
    mutations: ['acquireResource', 'bookResource'],
  },
  'resource.allocate': {
    description: 'What agents, teams and domains may use.',
    mutations: ['setQuota', 'setSharedResource', 'removeSharedResource'],
  },
  'task.prioritize': { description: 'Which task goes before which.', mutations: ['prioritizeTask'] },
  'task.intervene': {
    description: 'Skipping, cancelling or retrying a task, completing it by hand or giving it to another.',
    mutations: ['skipTask', 'completeTaskByHand', 'reassignTask', 'cancelTask', 'retryTask'],
  },
  'team.compose': {
    description: 'Which domains and teams there are, and who belongs to a team.',
    mutations: ['createDomain', 'createTeam'],
  },
  'quality.trade_off': { description: 'Less quality for more speed or less cost.' },
  'budget.allocate': {
    description: 'What may be spent; the amount is the new bound.',
    mutations: ['setBudget', 'removeBudget'],
    amount: 'input.maxUsd',
  },
  'money.spend': { description: 'Spending, refunding or moving money; the amount is what it comes to.' },
  'conflict.cross_domain': { description: 'Settling a conflict between domains.' },
  'conflict.priority': { description: 'Settling a conflict of priorities within a domain or between them.' },
  'policy.write': {
    description: 'Writing, changing and retiring policies.',
    mutations: ['createPolicy', 'updatePolicy', 'submitPolicy', 'retirePolicy'],
    always: true,
  },
  'policy.enforce': {
    description: 'Putting a policy into force.',
    mutations: ['reviewPolicy'],
    always: true,
  },
  'policy.except': {
    description: 'Letting somebody do what a policy would not.',
    mutations: ['decidePolicyException'],
    always: true,
  },
  'authority.change': {
    description: 'Who may decide what.',
    mutations: ['setAuthority'],
    always: true,
  },
  'strategy.change': { description: 'Strategic changes: goals, markets, what the organization does at all.' },
  'compliance.decide': {
    description: 'What is done about a matter of compliance: how long the record is kept, and what is held.',
    mutations: ['setAuditRetention', 'setLegalHold', 'releaseLegalHold'],
  },
  'incident.handle': {
    description: 'Handling an incident.',
    mutations: ['openIncident', 'acknowledgeIncident', 'resolveIncident', 'retryPutAsideEvents'],
  },
  'incident.major': { description: 'What is done about a major incident.' },
  'agent.deploy': {
    description: 'Which agents there are, and which of their versions serve.',
    mutations: ['registerAgent', 'deployAgent', 'updateAgent', 'serveAgentVersion', 'restoreAgent'],
  },
  'agent.operate': {
    description: 'How agents are kept at work: breakers, recovery, who writes to whom, and who does what.',
    mutations: [
      'setReliability',
      'resetBreaker',
      'setProviderBreaker',
      'setMessagePolicy',
      'removeMessagePolicy',
      'setRebalancing',
      'rebalance',
      'purgeResponseCache',
    ],
  },
  'agent.scale': {
    description: 'How many instances an agent has.',
    mutations: ['scaleAgent', 'setScalingPolicy'],
  },
  'agent.retire': { description: 'Ending an agent.', mutations: ['retireAgent'] },
  'workflow.publish': {
    description: 'Which version of a workflow new runs take.',
    mutations: ['applyWorkflow', 'publishWorkflowVersion', 'migrateRuns'],
  },
  'trigger.set': {
    description: 'What starts runs by itself: schedules, webhooks, events.',
    mutations: ['createTrigger', 'updateTrigger', 'pauseTrigger', 'resumeTrigger', 'deleteTrigger'],
  },
  'connector.set': {
    description: 'Which systems outside are connected.',
    mutations: ['setConnector', 'removeConnector'],
  },
  'run.start': { description: 'Starting a run.', mutations: ['startRun', 'startRuns', 'fireTrigger'] },
  'run.control': {
    description: 'Pausing, cancelling, retrying and forking runs and operations, and sending them signals.',
    mutations: [
      'pauseRun',
      'resumeRun',
      'cancelRun',
      'terminateRun',
      'retryRun',
      'forkRun',
      'signalRun',
      'bulkControlRuns',
      'cancelOperation',
    ],
  },
  'containment.order': {
    description: 'Stopping an agent, a workflow, a domain or everything.',
    mutations: ['contain', 'liftContainment'],
  },
  'settings.change': {
    description: 'Settings and limits of the organization; its models, and who is told and called.',
    mutations: [
      'applySettings',
      'setLimit',
      'removeLimit',
      'setModel',
      'removeModel',
      'setModelPrice',
      'setRouterSettings',
      'setEscalationPolicy',
      'removeEscalationPolicy',
      'setOnCallSchedule',
      'removeOnCallSchedule',
      'setNotificationChannel',
      'removeNotificationChannel',
    ],
  },
  'access.grant': {
    description: 'Letting somebody in, and giving somebody rights.',
    mutations: [
      'createApiKey',
      'rotateApiKey',
      'setRole',
      'setGroup',
      'assignRole',
      'setIdentityProvider',
      'reactivatePrincipal',
    ],
    always: true,
  },
  'access.revoke': {
    description: 'Letting somebody in no more, and taking rights from somebody.',
    mutations: [
      'revokeApiKey',
      'revokeAssignment',
      'endSessions',
      'removeIdentityProvider',
      'removeRole',
      'deactivatePrincipal',
    ],
  },
  'credential.manage': {
    description: 'Secrets of agents and providers.',
    mutations: [
      'setCredential',
      'rotateCredential',
      'deleteCredential',
      'rotateDataKey',
      'rewrapIdentityProviders',
      'revealSigningSecret',
    ],
  },
  'data.read': { description: 'Reading data of a classification.' },
  'data.write': { description: 'Writing data of a classification.' },
  'data.export': { description: 'Giving data out of the platform.', mutations: ['exportAudit'] },
  'data.erase': { description: 'Erasing data.', mutations: ['eraseSubject'] },
  'output.publish': { description: 'Publishing what an agent made.', mutations: ['publishArticles'] },
} as const satisfies Record<string, GovernedAction>

export type Action = keyof typeof ACTIONS

/** Whether the catalogue has it. */
export const isAction = (name: string): name is Action => Object.hasOwn(ACTIONS, name)

/** Whether a pattern (`budget.allocate`, `budget.*`, `*`) is about an action. */
export function isAbout(pattern: string, action: string): boolean {
  if (pattern === '*' || pattern === action) return true
  return pattern.endsWith('.*') && action.startsWith(pattern.slice(0, -1))
}

/** Whether there is an action that a pattern is about. */
export const isActionPattern = (pattern: string): boolean =>
  Object.keys(ACTIONS).some((action) => isAbout(pattern, action))

/** Whether the built-in matrix has a say about the mutations of an action. */
export const isAlwaysGoverned = (action: string): boolean => {
  const governed: GovernedAction | undefined = isAction(action) ? ACTIONS[action] : undefined
  return governed?.always === true
}

/** How a mutation is governed at the door. */
export interface GovernedMutation {
  action: string
  /** Where its amount in US dollars stands among its arguments; null: nowhere. */
  amount: string | null
}

const BY_MUTATION: ReadonlyMap<string, GovernedMutation> = new Map(
  Object.entries<GovernedAction>(ACTIONS).flatMap(([action, { mutations = [], amount = null }]) =>
    mutations.map((name): [string, GovernedMutation] => [name, { action, amount }]),
  ),
)

/** What a mutation is of, when the catalogue names it. */
export const governedMutation = (name: string): GovernedMutation | undefined => BY_MUTATION.get(name)
