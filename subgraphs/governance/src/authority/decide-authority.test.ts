import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  ACTIONS,
  type Actor,
  type GovernedAction,
  isActionPattern,
  type Role,
  UNGOVERNED_MUTATIONS,
} from '@tutti/schema'
import { REFERRING } from '../gates/references-of.ts'
import { testActor } from '@tutti/prisma/testing'
import { buildSchema } from 'graphql'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AuthorizationQuestion, requestOf } from './authorize.ts'
import { type AuthorityEntry, RULINGS } from './authority-entry.ts'
import { compileMatrix, decideAuthority } from './decide-authority.ts'
import { DEFAULT_MATRIX, entryOf } from './default-matrix.ts'
import { LEVELS } from './levels.ts'

const decide = (entries: readonly AuthorityEntry[], actor: Actor, question: AuthorizationQuestion) =>
  decideAuthority(compileMatrix(1, entries), requestOf(actor, question))
const builtIn = (role: Role, action: string, amount?: number, kind: Actor['kind'] = 'agent') => {
  const { ruling, to } = decide(
    DEFAULT_MATRIX,
    { ...testActor(role), kind },
    { action, ...(amount === undefined ? {} : { context: { amount } }) },
  )
  return to === null ? ruling : `${ruling} ${to}`
}

describe('the built-in matrix', () => {
  test('speaks of actions of the catalogue alone, and of every one on every level', () => {
    expect(DEFAULT_MATRIX.filter(({ action }) => !isActionPattern(action))).toEqual([])
    for (const action of Object.keys(ACTIONS)) {
      const levels = DEFAULT_MATRIX.filter((entry) => entry.action === action).map(({ level }) => level)
      expect(
        LEVELS.filter((level) => !levels.includes(level)),
        action,
      ).toEqual([])
    }
  })

  // The seed's words, line by line.
  test.each<[string, Role, string[], string]>([
    ['an agent decides', 'agent', ['implementation.choose', 'tool.call', 'tactic.choose'], 'alone'],
    [
      'an agent escalates',
      'agent',
      ['scope.change', 'communication.external', 'resource.request'],
      'ask domain',
    ],
    ['a domain decides', 'operator', ['task.prioritize', 'team.compose', 'quality.trade_off'], 'alone'],
    [
      'a domain escalates',
      'operator',
      ['budget.allocate', 'conflict.cross_domain', 'policy.except'],
      'ask enterprise',
    ],
    [
      'the enterprise decides',
      'admin',
      ['resource.allocate', 'conflict.priority', 'policy.enforce'],
      'alone',
    ],
    [
      'the enterprise escalates',
      'admin',
      ['strategy.change', 'compliance.decide', 'incident.major'],
      'ask person',
    ],
  ])('%s', (_, role, actions, expected) => {
    expect(actions.map((action) => builtIn(role, action))).toEqual(actions.map(() => expected))
  })

  test('a person decides what a person must be asked, the platform everything, a viewer nothing', () => {
    expect(builtIn('admin', 'strategy.change', undefined, 'person')).toBe('alone')
    expect(builtIn('viewer', 'strategy.change', undefined, 'system')).toBe('alone')
    expect(builtIn('viewer', 'implementation.choose')).toBe('never')
  })

  test('small sums are decided below, and what is not known is not small', () => {
    expect([20, 50, 51, undefined].map((sum) => builtIn('agent', 'money.spend', sum))).toEqual([
      'alone',
      'alone',
      'ask domain',
      'ask domain',
    ])
    expect([1_000, 1_001].map((sum) => builtIn('operator', 'money.spend', sum))).toEqual([
      'alone',
      'ask enterprise',
    ])
  })
})

test('a role of the organization’s own decides on the level that its scopes are of', () => {
  const own = (...scopes: Actor['scopes']) => {
    const actor: Actor = { ...testActor('viewer'), roles: [], scopes }
    return requestOf(actor, { action: 'tool.call' }).actor.levels
  }
  expect(own('governance:read')).toEqual([])
  expect(own('runs:report')).toEqual(['agent'])
  expect(own('runs:report', 'approvals:decide')).toEqual(['domain'])
  expect(own('approvals:decide', 'access:manage')).toEqual(['enterprise'])
  // With a built-in role that has a level, it is that one.
  expect(
    requestOf({ ...testActor('agent'), scopes: ['access:manage'] }, { action: 'tool.call' }).actor.levels,
  ).toEqual(['agent'])
})

test('who has a role in one place alone decides on its level there, and on none elsewhere', () => {
  const within = [
    { domainId: 'sales', teamId: null, scopes: ['runs:control' as const] },
    { domainId: null, teamId: 'press', scopes: ['runs:report' as const] },
  ]
  const levels = (domain: string | null, team: string | null, role: Role = 'viewer') =>
    requestOf({ ...testActor(role), within }, { action: 'tool.call', resource: { domain, team } }).actor
      .levels
  expect(levels('sales', 'east')).toEqual(['domain'])
  expect(levels('marketing', 'press')).toEqual(['agent'])
  expect([levels('marketing', 'east'), levels(null, null)]).toEqual([[], []])
  expect(levels('sales', 'east', 'admin')).toEqual(['domain', 'enterprise'])
})

test('every mutation that the catalogue names is there, and is of one action', () => {
  const api = buildSchema(
    readFileSync(fileURLToPath(import.meta.resolve('@tutti/schema/api.graphql')), 'utf8'),
  )
  const named = Object.values<GovernedAction>(ACTIONS).flatMap(({ mutations }) => mutations ?? [])
  const known = Object.keys(api.getMutationType()?.getFields() ?? {})
  expect(named.filter((mutation) => !known.includes(mutation))).toEqual([])
  expect(new Set(named).size).toBe(named.length)
  const ungoverned = Object.keys(UNGOVERNED_MUTATIONS)
  expect([...ungoverned, ...REFERRING].filter((mutation) => !known.includes(mutation))).toEqual([])
  expect(ungoverned.filter((mutation) => named.includes(mutation))).toEqual([])
})

test('the most specific line decides: role, team, domain, action, bounds', () => {
  const lines = [
    entryOf('*', 'domain', 'never'),
    entryOf('budget.*', 'domain', 'ask person'),
    entryOf('budget.allocate', 'domain', 'ask enterprise'),
    entryOf('budget.allocate', 'domain', 'inform enterprise', { maxAmount: 100, maxRisk: 'medium' }),
    entryOf('*', 'domain', 'inform enterprise', { domain: 'marketing' }),
    entryOf('*', 'domain', 'inform person', { team: 'press' }),
    entryOf('*', 'domain', 'alone', { role: 'approver' }),
  ]
  const operator = testActor('operator')
  const ruled = (question: AuthorizationQuestion, actor = operator) => {
    const { ruling, to } = decide(lines, { ...actor, kind: 'agent' }, question)
    return `${ruling} ${to ?? ''}`.trim()
  }
  const action = 'budget.allocate'
  expect(ruled({ action: 'run.start' })).toBe('never')
  expect(ruled({ action })).toBe('ask enterprise')
  expect(ruled({ action, context: { amount: 100, risk: 'low' } })).toBe('inform enterprise')
  expect(ruled({ action, context: { amount: 100, risk: 'high' } })).toBe('ask enterprise')
  expect(ruled({ action, context: { amount: 100 } })).toBe('ask enterprise')
  expect(ruled({ action, resource: { domain: 'marketing' } })).toBe('inform enterprise')
  expect(ruled({ action, resource: { domain: 'marketing', team: 'press' } })).toBe('inform person')
  expect(ruled({ action }, testActor('approver'))).toBe('alone')
})

test('another role never takes authority away, and the order of lines changes nothing', () => {
  const entry = fc
    .record({
      level: fc.constantFrom(...LEVELS),
      action: fc.constantFrom('*', 'money.*', 'money.spend', 'run.start'),
      cell: fc.constantFrom(
        'alone' as const,
        'never' as const,
        'ask enterprise' as const,
        'inform domain' as const,
      ),
      maxAmount: fc.option(fc.constantFrom(10, 100), { nil: null }),
    })
    .map(({ level, action, cell, maxAmount }) => entryOf(action, level, cell, { maxAmount }))
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 15 }), fc.integer({ min: 0, max: 200 }), (entries, amount) => {
      const question = { action: 'money.spend', context: { amount } }
      const freedom = (roles: Role[], list = entries) =>
        RULINGS.indexOf(decide(list, { ...testActor('agent'), roles }, question).ruling)
      const [agent, both] = [freedom(['agent']), freedom(['agent', 'operator'])]
      expect(both).toBe(Math.min(agent, freedom(['operator'])))
      expect(freedom(['agent', 'operator'], entries.toReversed())).toBe(both)
    }),
  )
})
