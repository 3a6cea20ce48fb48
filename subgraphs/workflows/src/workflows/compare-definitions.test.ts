import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { WorkflowDefinition } from '../definitions/index.ts'
import { compareDefinitions } from './compare-definitions.ts'

const retry = { maxAttempts: 4, initialDelayMs: 1_000, factor: 2, maxDelayMs: 60_000 }

const definition = (
  agents: Readonly<Record<string, string>>,
  rest: Partial<WorkflowDefinition> = {},
): WorkflowDefinition => ({
  format: 'tutti/1',
  name: 'flow',
  entry: Object.keys(agents)[0] ?? '',
  inputs: ['message'],
  order: Object.keys(agents),
  nodes: Object.fromEntries(
    Object.entries(agents).map(([id, agent]) => [
      id,
      { id, kind: 'task' as const, agent, inputs: [], retry, timeoutMs: 1_000 },
    ]),
  ),
  edges: [],
  errorHandling: { retry, timeoutMs: 1_000 },
  ...rest,
})

const definitions = fc
  .record({
    agents: fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'toString'),
      fc.constantFrom('ann', 'bob'),
      { minKeys: 1 },
    ),
    trigger: fc.option(fc.constantFrom('mail', 'call'), { nil: undefined }),
    priority: fc.integer({ min: -1, max: 1 }),
  })
  .map(({ agents, trigger, priority }) =>
    definition(agents, { priority, ...(trigger === undefined ? {} : { trigger }) }),
  )

test('a changed step names the fields that changed, down to the one inside another', () => {
  const before = definition({ read: 'ann' })
  const node = { ...before.nodes['read'], agent: 'bob', retry: { ...retry, maxAttempts: 2 } }
  const after = JSON.parse(JSON.stringify({ ...before, nodes: { read: node } }))
  expect(compareDefinitions(before, after)).toEqual({
    steps: [
      {
        step: 'read',
        kind: 'changed',
        fields: [
          { path: 'agent', before: 'ann', after: 'bob' },
          { path: 'retry.maxAttempts', before: 4, after: 2 },
        ],
      },
    ],
    settings: [],
  })
})

test('a way out belongs to the step that it leaves', () => {
  const before = definition({ read: 'ann', write: 'bob' })
  const after = definition(
    { read: 'ann', write: 'bob' },
    { edges: [{ from: 'read', to: 'write', on: 'done' }] },
  )
  expect(compareDefinitions(before, after).steps).toEqual([
    {
      step: 'read',
      kind: 'changed',
      fields: [{ path: 'edges', before: null, after: [{ to: 'write', on: 'done' }] }],
    },
  ])
})

test('a step that comes and one that goes, and what concerns the workflow itself', () => {
  const before = definition({ read: 'ann', file: 'ann' }, { trigger: 'mail' })
  const after = definition({ read: 'ann', write: 'bob' }, { timeoutMs: 5 })
  const { steps, settings } = compareDefinitions(before, after)
  expect(steps.map(({ step, kind }) => [step, kind])).toEqual([
    ['write', 'added'],
    ['file', 'removed'],
  ])
  expect(settings).toEqual([
    { path: 'timeoutMs', before: null, after: 5 },
    { path: 'trigger', before: 'mail', after: null },
  ])
})

test('nothing lies between a definition and itself, however its keys are ordered', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, each]) => [key, reversed(each)]),
    )
  }
  fc.assert(
    fc.property(definitions, (one) => {
      expect(compareDefinitions(one, JSON.parse(JSON.stringify(reversed(one))))).toEqual({
        steps: [],
        settings: [],
      })
    }),
  )
})

test('the way back is the way there with before and after changed', () => {
  const opposite = { added: 'removed', removed: 'added', changed: 'changed' } as const
  fc.assert(
    fc.property(definitions, definitions, (one, other) => {
      const there = compareDefinitions(one, other)
      const back = compareDefinitions(other, one)
      const turned = back.steps.map(({ step, kind, fields }) => ({
        step,
        kind: opposite[kind],
        fields: fields.map(({ path, before, after }) => ({ path, before: after, after: before })),
      }))
      const sorted = (steps: typeof turned) => steps.toSorted((a, b) => (a.step < b.step ? -1 : 1))
      expect(sorted(turned)).toEqual(sorted(there.steps))
      expect(there.steps.length + there.settings.length === 0).toBe(
        JSON.stringify(normal(one)) === JSON.stringify(normal(other)),
      )
    }),
  )
})

const normal = ({ order: _, nodes, ...rest }: WorkflowDefinition) => ({
  ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))),
  nodes: Object.entries(nodes).sort(([a], [b]) => (a < b ? -1 : 1)),
})
