import type { Action } from '@tutti/schema'
import type { AuthorityEntry } from './authority-entry.ts'
import { LEVELS } from './levels.ts'

/** Decides alone; informs a level and goes on; asks a level first; may not. */
type Cell = 'alone' | 'never' | `${'inform' | 'ask'} ${'domain' | 'enterprise' | 'person'}`

/**
 * What each level may do by itself unless the organization says otherwise: agent, domain, enterprise. From the seed's
 * matrix; what it does not name follows its sense, and an agent decides on nothing that outlives its task.
 */
const CELLS: Record<Action, readonly [Cell, Cell, Cell]> = {
  // Agent level can decide: implementation details, tool selection (approved list), tactical approaches.
  'implementation.choose': ['alone', 'alone', 'alone'],
  'tactic.choose': ['alone', 'alone', 'alone'],
  'tool.call': ['alone', 'alone', 'alone'],
  // Agent level must escalate: scope changes, external communication, resource requests.
  'scope.change': ['ask domain', 'alone', 'alone'],
  'communication.external': ['ask domain', 'alone', 'alone'],
  'resource.request': ['ask domain', 'alone', 'alone'],
  // Domain orchestrator can decide: task prioritization, team composition, quality trade-offs.
  'task.prioritize': ['ask domain', 'alone', 'alone'],
  'team.compose': ['ask domain', 'alone', 'alone'],
  'quality.trade_off': ['ask domain', 'alone', 'alone'],
  // Domain orchestrator must escalate: budget allocation, cross-domain conflicts, policy exceptions.
  'budget.allocate': ['ask domain', 'ask enterprise', 'alone'],
  'conflict.cross_domain': ['ask domain', 'ask enterprise', 'alone'],
  'policy.except': ['never', 'ask enterprise', 'alone'],
  // Enterprise orchestra can decide: resource allocation, priority conflicts, policy enforcement.
  'resource.allocate': ['ask domain', 'ask enterprise', 'alone'],
  'conflict.priority': ['ask domain', 'ask enterprise', 'alone'],
  'policy.enforce': ['never', 'ask enterprise', 'alone'],
  // Enterprise orchestra must escalate: strategic changes, compliance issues, major incidents.
  'strategy.change': ['never', 'ask enterprise', 'ask person'],
  'compliance.decide': ['never', 'ask enterprise', 'ask person'],
  'incident.major': ['ask domain', 'ask enterprise', 'ask person'],
  // What the platform has besides.
  'communication.internal': ['alone', 'alone', 'alone'],
  'tool.approve': ['ask domain', 'alone', 'alone'],
  'task.intervene': ['ask domain', 'alone', 'alone'],
  'money.spend': ['ask domain', 'ask enterprise', 'alone'],
  'policy.write': ['never', 'ask enterprise', 'alone'],
  'authority.change': ['never', 'never', 'alone'],
  'incident.handle': ['inform domain', 'alone', 'alone'],
  'agent.deploy': ['never', 'alone', 'alone'],
  'agent.operate': ['never', 'alone', 'alone'],
  'agent.scale': ['ask domain', 'alone', 'alone'],
  'agent.retire': ['never', 'alone', 'alone'],
  'workflow.publish': ['never', 'alone', 'alone'],
  'trigger.set': ['never', 'alone', 'alone'],
  'connector.set': ['never', 'alone', 'alone'],
  'run.start': ['alone', 'alone', 'alone'],
  'run.control': ['ask domain', 'alone', 'alone'],
  'containment.order': ['ask domain', 'alone', 'alone'],
  'settings.change': ['never', 'ask enterprise', 'alone'],
  'access.grant': ['never', 'ask enterprise', 'alone'],
  'access.revoke': ['never', 'ask enterprise', 'alone'],
  'credential.manage': ['never', 'ask enterprise', 'alone'],
  'data.read': ['alone', 'alone', 'alone'],
  'data.write': ['alone', 'alone', 'alone'],
  'data.export': ['ask domain', 'ask enterprise', 'alone'],
  'data.erase': ['never', 'ask enterprise', 'alone'],
  'output.publish': ['ask domain', 'alone', 'alone'],
}

/** An entry that says no more than who, what and how. */
export function entryOf(
  action: string,
  level: AuthorityEntry['level'],
  cell: Cell,
  more: Partial<AuthorityEntry> = {},
): AuthorityEntry {
  const [ruling, to = null] = splitCell(cell)
  return {
    level,
    role: null,
    action,
    domain: null,
    team: null,
    maxAmount: null,
    maxRisk: null,
    maxClassification: null,
    ruling,
    to,
    askRoles: [],
    needed: 1,
    ...more,
  }
}

function splitCell(cell: Cell): [AuthorityEntry['ruling'], AuthorityEntry['to']?] {
  switch (cell) {
    case 'alone':
    case 'never':
      return [cell]
    case 'inform domain':
    case 'ask domain':
      return [cell === 'ask domain' ? 'ask' : 'inform', 'domain']
    case 'inform enterprise':
    case 'ask enterprise':
      return [cell === 'ask enterprise' ? 'ask' : 'inform', 'enterprise']
    case 'inform person':
    case 'ask person':
      return [cell === 'ask person' ? 'ask' : 'inform', 'person']
  }
}

/** The matrix of an organization that has set none: version 0. */
export const DEFAULT_MATRIX: readonly AuthorityEntry[] = [
  ...Object.entries(CELLS).flatMap(([action, cells]) =>
    LEVELS.map((level, place) => entryOf(action, level, cells[place] ?? 'never')),
  ),
  // Small sums: of an agent up to 50 dollars, of a domain up to 1,000.
  entryOf('money.spend', 'agent', 'alone', { maxAmount: 50 }),
  entryOf('money.spend', 'domain', 'alone', { maxAmount: 1_000 }),
  // Who approves for a domain may also put policies into force that somebody else wrote.
  entryOf('policy.enforce', 'domain', 'alone', { role: 'approver' }),
]
