import { isId } from '@tutti/runtime'

/** Something that a mutation is about, as its arguments name it. */
export interface Reference {
  kind: Kind
  id: string | null
  name: string | null
}

type Kind =
  | 'agent'
  | 'assignment'
  | 'budget'
  | 'containment'
  | 'credential'
  | 'domain'
  | 'escalationPolicy'
  | 'incident'
  | 'limit'
  | 'run'
  | 'task'
  | 'team'
  | 'trigger'
  | 'workflow'

/** Fields of an input that say the same in every mutation. */
const FIELDS: readonly (readonly [path: string, kind: Kind])[] = [
  ['agentId', 'agent'],
  ['domainId', 'domain'],
  ['runId', 'run'],
  ['taskId', 'task'],
  ['teamId', 'team'],
  ['workflowId', 'workflow'],
  ['workflowName', 'workflow'],
]

const id = (...kinds: readonly Kind[]) => kinds.map((kind) => ['id', kind] as const)
const PARTY = ['from', 'to'].flatMap((side) => [
  [`${side}.agentId`, 'agent'] as const,
  [`${side}.domainId`, 'domain'] as const,
  [`${side}.teamId`, 'team'] as const,
])
const OF_CONFIGURATION = [['configuration.metadata.name', 'agent']] as const

/** What else mutations name. Nothing here looks into JSON that callers make up: by that one could choose a place. */
const MORE: Readonly<Record<string, readonly (readonly [path: string, kind: Kind])[]>> = {
  acknowledgeIncident: id('incident'),
  bulkControlRuns: [
    ['filter.ids', 'run'],
    ['filter.workflowId', 'workflow'],
  ],
  cancelRun: id('run'),
  cancelTask: id('task'),
  completeTaskByHand: id('task'),
  contain: id('agent', 'workflow', 'domain'),
  deleteCredential: id('credential'),
  deleteTrigger: id('trigger'),
  deployAgent: OF_CONFIGURATION,
  fireTrigger: id('trigger'),
  forkRun: id('run'),
  liftContainment: id('containment'),
  migrateRuns: [['filter.ids', 'run']],
  pauseRun: id('run'),
  pauseTrigger: id('trigger'),
  prioritizeTask: id('task'),
  reassignTask: id('task'),
  registerAgent: OF_CONFIGURATION,
  removeBudget: id('budget'),
  removeEscalationPolicy: id('escalationPolicy'),
  removeLimit: id('limit'),
  resolveIncident: id('incident'),
  restoreAgent: id('agent'),
  resumeRun: id('run'),
  resumeTrigger: id('trigger'),
  retireAgent: id('agent'),
  retryRun: id('run'),
  retryTask: id('task'),
  revokeAssignment: id('assignment'),
  rotateCredential: id('credential'),
  sendMessage: [['to.agent', 'agent']],
  sendRequest: [['to.agent', 'agent']],
  setMessagePolicy: PARTY,
  skipTask: id('task'),
  startRuns: [
    ['runs.workflowId', 'workflow'],
    ['runs.workflowName', 'workflow'],
  ],
  terminateRun: id('run'),
  updateTrigger: id('trigger'),
}

/** Mutations of which more is known than the fields that say the same everywhere. */
export const REFERRING: readonly string[] = Object.keys(MORE)

/** What the arguments `{ input }` of a mutation name; agents and workflows by id or name. */
export function referencesOf(mutation: string, given: Readonly<Record<string, unknown>>): Reference[] {
  const found = [...FIELDS, ...(Object.hasOwn(MORE, mutation) ? (MORE[mutation] ?? []) : [])].flatMap(
    ([path, kind]) => textsAt(given['input'], path.split('.')).map((text) => ({ kind, text })),
  )
  return found.flatMap(({ kind, text }): Reference[] => {
    const isNamed = kind === 'agent' || kind === 'workflow'
    return [
      ...(isId(text) ? [{ kind, id: text, name: null }] : []),
      ...(isNamed && !text.includes('\0') ? [{ kind, id: null, name: text.toWellFormed() }] : []),
    ]
  })
}

/** The texts at a path; through every element of a list. */
function textsAt(value: unknown, path: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => textsAt(each, path))
  const [key, ...rest] = path
  if (key === undefined) return typeof value === 'string' ? [value] : []
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return []
  return textsAt(Reflect.get(value, key), rest)
}
