/** An action that somebody may be authorised for. */
export interface GovernedAction {
  /** What it is, in a line. */
  description: string
  /** Mutations of the API by which it is done; none: steps, tools and integrators do it. */
  mutations?: readonly string[]
  /** Where an amount in US dollars stands among the arguments of its mutations, as `input.maxUsd`. */
  amount?: string
  /** Its mutations ask authority themselves, with more than their arguments say. */
  asksItself?: true
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
    mutations: ['setQuota', 'setSharedResource'],
  },
  'task.prioritize': { description: 'Which task goes before which.', mutations: ['prioritizeTask'] },
  'task.intervene': {
    description: 'Skipping a task, completing it by hand or giving it to another.',
    mutations: ['skipTask', 'completeTaskByHand', 'reassignTask'],
  },
  'team.compose': { description: 'Who belongs to a team.', mutations: ['createTeam'] },
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
    asksItself: true,
  },
  'policy.enforce': {
    description: 'Putting a policy into force.',
    mutations: ['reviewPolicy'],
    asksItself: true,
  },
  'policy.except': {
    description: 'Letting somebody do what a policy would not.',
    mutations: ['decidePolicyException'],
    asksItself: true,
  },
  'authority.change': {
    description: 'Who may decide what.',
    mutations: ['setAuthority'],
    asksItself: true,
  },
  'strategy.change': { description: 'Strategic changes: goals, markets, what the organization does at all.' },
  'compliance.decide': { description: 'What is done about a matter of compliance.' },
  'incident.handle': {
    description: 'Handling an incident.',
    mutations: ['openIncident', 'acknowledgeIncident', 'resolveIncident'],
  },
  'incident.major': { description: 'What is done about a major incident.' },
  'agent.deploy': {
    description: 'Which agents there are, and which of their versions serve.',
    mutations: ['registerAgent', 'deployAgent', 'updateAgent', 'serveAgentVersion'],
  },
  'agent.scale': { description: 'How many instances an agent has.', mutations: ['scaleAgent'] },
  'agent.retire': { description: 'Ending an agent.', mutations: ['retireAgent'] },
  'workflow.publish': {
    description: 'Which version of a workflow new runs take.',
    mutations: ['applyWorkflow', 'publishWorkflowVersion', 'migrateRuns'],
  },
  'run.start': { description: 'Starting a run.', mutations: ['startRun', 'startRuns'] },
  'run.control': {
    description: 'Pausing, cancelling, retrying and forking runs.',
    mutations: ['pauseRun', 'cancelRun', 'retryRun', 'forkRun', 'bulkControlRuns'],
  },
  'containment.order': {
    description: 'Stopping an agent, a workflow, a domain or everything.',
    mutations: ['contain', 'liftContainment'],
  },
  'settings.change': {
    description: 'Settings and limits of the organization.',
    mutations: ['applySettings', 'setLimit', 'removeLimit'],
  },
  'access.grant': {
    description: 'Letting somebody in; the arguments are for whom, and the roles.',
    mutations: ['createApiKey'],
    asksItself: true,
  },
  'access.revoke': {
    description: 'Letting somebody in no more.',
    mutations: ['revokeApiKey', 'removeRole', 'deactivatePrincipal'],
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
  'data.export': { description: 'Giving data out of the platform.' },
  'data.erase': { description: 'Erasing data.' },
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

/** How a mutation is governed at the door. */
export interface GovernedMutation {
  action: string
  /** Where its amount in US dollars stands among its arguments; null: nowhere. */
  amount: string | null
}

const AT_THE_DOOR: ReadonlyMap<string, GovernedMutation> = new Map(
  Object.entries<GovernedAction>(ACTIONS).flatMap(([action, { mutations = [], amount = null, asksItself }]) =>
    asksItself ? [] : mutations.map((name): [string, GovernedMutation] => [name, { action, amount }]),
  ),
)

/** What a mutation is of, when the catalogue names it and it does not ask by itself. */
export const governedMutation = (name: string): GovernedMutation | undefined => AT_THE_DOOR.get(name)
