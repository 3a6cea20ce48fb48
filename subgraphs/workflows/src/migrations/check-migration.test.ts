import { expect, test } from 'vitest'
import { readDefinition, type WorkflowDefinition } from '../definitions/index.ts'
import { checkMigration, type RunPosition, type StrandPosition } from './check-migration.ts'

function definition(steps: string, inputs = 'message'): WorkflowDefinition {
  const read = readDefinition(`format: tutti/1\nname: flow\ninputs: [${inputs}]\nsteps:\n${steps}`)
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.definition
}

const strand = (node: string | null, more: Partial<StrandPosition> = {}): StrandPosition => ({
  id: 'main',
  parentId: null,
  compound: null,
  key: null,
  names: [],
  task: node === null ? null : { id: `task of ${node}`, node, kind: 'agent', path: node },
  entering: null,
  ...more,
})

const at = (...strands: StrandPosition[]): RunPosition => ({ input: ['message'], strands, arrived: [] })

const codes = (from: WorkflowDefinition, to: WorkflowDefinition, position: RunPosition) =>
  checkMigration(from, to, position).map(({ code, step }) => [code, step])

const THREE = definition(`
  - {name: read, agent: a, input: message, output: facts}
  - {name: write, agent: a, input: facts, output: draft}
  - {name: send, agent: a, input: draft}`)

test('a run moves when its step is there, whatever was before it and comes after', () => {
  const to = definition(`
  - {name: look, agent: a, input: message, output: looks}
  - {name: read, agent: a, input: looks, output: facts}
  - {name: write, agent: b, input: facts, output: draft}
  - {name: polish, agent: a, input: draft, output: draft}
  - {name: send, agent: a, input: draft}`)
  expect(codes(THREE, to, at(strand('write', { names: ['facts'] })))).toEqual([])
  expect(codes(THREE, to, at(strand(null)))).toEqual([])
})

test('a run does not move when its step is gone, or is another kind of step', () => {
  const to = definition(`
  - {name: read, agent: a, input: message, output: facts}
  - {name: write, type: review, role: editor, question: "Good?", if_rejected: end, input: facts}
  - {name: send, agent: a, input: facts}`)
  expect(codes(THREE, definition('  - {name: read, agent: a, input: message}'), at(strand('write')))).toEqual(
    [['STEP_MISSING', 'write']],
  )
  expect(codes(THREE, to, at(strand('write')))).toEqual([['STEP_DIFFERENT', 'write']])
})

test('a run does not move when a step to come relies on what a step it is past would have made', () => {
  const to = definition(`
  - {name: read, agent: a, input: message, output: facts}
  - {name: check, agent: a, input: facts, output: verdict}
  - {name: write, agent: a, input: facts, output: draft}
  - {name: send, agent: a, input: [draft, verdict]}`)
  const [problem] = checkMigration(THREE, to, at(strand('write', { names: ['facts'] })))
  expect(problem).toEqual({
    code: 'NAME_MISSING',
    step: 'send',
    message: '"send" reads "verdict", which this run has not. It is made by "check", which is past.',
  })
  expect(codes(THREE, to, at(strand('read')))).toEqual([])
  expect(codes(THREE, to, at(strand('write', { names: ['facts', 'verdict'] })))).toEqual([])
  expect(codes(THREE, to, { ...at(strand('write')), input: ['message', 'facts', 'verdict'] })).toEqual([])
})

test('a name that is null on some way to its reader is nobody’s to rely on', () => {
  const to = definition(`
  - {name: read, agent: a, input: message, output: facts}
  - {name: which, condition: size(message) > 3, if_true: check, if_false: write}
  - {name: check, agent: a, input: facts, output: verdict}
  - {name: write, agent: a, input: facts, output: draft}
  - {name: send, agent: a, input: [draft, verdict]}`)
  expect(codes(THREE, to, at(strand('write', { names: ['facts'] })))).toEqual([])
})

const SPREAD = definition(`
  - name: fan
    branches:
      left: [{name: l, agent: a, input: message, output: one}, {name: l2, agent: a, input: one, output: three}]
      right: [{name: r, agent: a, input: message, output: two}]
  - {name: after, agent: a, input: [one, two]}`)
const FAN = strand('fan', { task: { id: 'task of fan', node: 'fan', kind: 'parallel', path: 'fan' } })
const branch = (key: string, node: string | null, names: string[] = []): StrandPosition =>
  strand(node, { id: key, parentId: 'main', compound: 'fan', key, names })

test('branches go on where they are; what those to come rely on, each of them still brings', () => {
  const longer = definition(`
  - name: fan
    branches:
      left: [{name: l, agent: b, input: message, output: one}, {name: l2, agent: a, input: one, output: three}]
      right: [{name: early, agent: a, input: message, output: extra}, {name: r, agent: a, input: message, output: two}]
  - {name: after, agent: a, input: [one, two, extra]}`)
  const under = { ...at(FAN, branch('left', 'l2', ['one']), branch('right', null)), arrived: [] }
  expect(codes(SPREAD, longer, under)).toEqual([])
  const past = at(FAN, branch('left', 'l2', ['one']), branch('right', 'r'))
  expect(codes(SPREAD, longer, past)).toEqual([['NAME_MISSING', 'after']])
  const brought = { taskId: 'task of fan', ok: true, names: ['two'] }
  expect(codes(SPREAD, longer, { ...at(FAN, branch('left', 'l')), arrived: [brought] })).toEqual([
    ['NAME_MISSING', 'after'],
  ])
  // One that failed: the step after is never come to.
  expect(
    codes(SPREAD, longer, { ...at(FAN, branch('left', 'l')), arrived: [{ ...brought, ok: false }] }),
  ).toEqual([])
})

test('an open parallel keeps its branches and its join', () => {
  const position = at(FAN, branch('left', 'l'), branch('right', 'r'))
  const fan = (rest: string, right = 'right') =>
    definition(`
  - name: fan${rest}
    branches:
      left: [{name: l, agent: a, input: message, output: one}]
      ${right}: [{name: r, agent: a, input: message, output: two}]
  - {name: after, agent: a, input: [one, two]}`)
  expect(codes(SPREAD, fan(''), position)).toEqual([])
  expect(codes(SPREAD, fan('', 'other'), position)).toEqual([['BRANCHES_DIFFERENT', 'fan']])
  expect(codes(SPREAD, fan('\n    join: 1'), position)).toEqual([['JOIN_DIFFERENT', 'fan']])
})

test('a step inside another body is not the same place', () => {
  const position = at(FAN, branch('left', 'l'), branch('right', 'r'))
  const to = definition(`
  - name: fan
    branches:
      left: [{name: again, max_turns: 2, steps: [{name: l, agent: a, input: message, output: one}]}]
      right: [{name: r, agent: a, input: message, output: two}]`)
  const [problem] = checkMigration(SPREAD, to, position)
  expect(problem).toMatchObject({
    code: 'BODY_DIFFERENT',
    message: '"l" is inside the loop "again" inside the parallel "fan", not the parallel "fan".',
  })
})

test('a wait goes on waiting for what it waits for', () => {
  const waiting = (what: string) => definition(`  - {name: rest, ${what}}`, 'x')
  const position = at(strand('rest'))
  expect(codes(waiting('for: 1d'), waiting('for: 2d'), position)).toEqual([])
  expect(codes(waiting('signal: go'), waiting('signal: go, timeout: 1d'), position)).toEqual([])
  expect(codes(waiting('signal: go'), waiting('signal: stop'), position)).toEqual([
    ['WAIT_DIFFERENT', 'rest'],
  ])
  expect(codes(waiting('signal: go'), waiting('for: 1d'), position)).toEqual([['WAIT_DIFFERENT', 'rest']])
})

test('a run whose steps are being undone stays where it is', () => {
  const undoing = strand('write', { task: { id: 't', node: 'write', kind: 'agent', path: 'write~undo' } })
  expect(codes(THREE, THREE, at(undoing))).toEqual([['UNDOING', 'write']])
})

test('ten thousand items at one step have one problem, and it is found soon', () => {
  const map = (output: string) =>
    definition(`
  - name: each
    over: message
    steps:
      - {name: one, agent: a, input: item, output: first}
      - {name: two, agent: a, input: ${output}}`)
  const to = definition(`
  - name: each
    over: message
    steps:
      - {name: one, agent: a, input: item, output: other}
      - {name: two, agent: a, input: item}
      - {name: three, agent: a, input: other}`)
  const compound = strand('each', { task: { id: 'e', node: 'each', kind: 'map', path: 'each' } })
  const items = Array.from({ length: 10_000 }, (_, index) =>
    strand('two', {
      id: String(index),
      parentId: 'main',
      compound: 'each',
      key: String(index),
      names: ['item', 'first'],
    }),
  )
  expect(codes(map('first'), to, at(compound, ...items))).toEqual([['NAME_MISSING', 'three']])
})
