import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DEFINITION_PROBLEMS, readDefinition } from './index.ts'
import type { DefinitionProblem, ReadOptions, WorkflowDefinition } from './index.ts'

const seed = readFileSync(new URL('fixtures/customer-service-workflow.yaml', import.meta.url), 'utf8')

function accepted(source: unknown, options?: ReadOptions): WorkflowDefinition {
  const result = readDefinition(source, options)
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 2))
  return result.definition
}

function refused(source: unknown, options?: ReadOptions): readonly DefinitionProblem[] {
  const result = readDefinition(source, options)
  return result.ok ? [] : result.problems
}

const ways = (definition: WorkflowDefinition, from: string, on = 'done') =>
  definition.edges.filter((edge) => edge.from === from && edge.on === on).map((edge) => edge.to)

describe("the seed's customer service workflow, as it stands", () => {
  const definition = accepted(seed)

  it('keeps the steps in the order of their numbers, named by what follows the number', () => {
    expect(definition.order).toEqual([
      'initial_analysis',
      'intent_classification',
      'knowledge_base_search',
      'response_generation',
      'quality_check',
      'decision_point',
      'send_response',
      'escalate_to_human',
    ])
    expect(definition).toMatchObject({
      name: 'customer_service_escalation',
      trigger: 'incoming_customer_message',
      entry: 'initial_analysis',
      inputs: ['customer_message'],
    })
  })

  it('never falls through from one alternative to the other', () => {
    expect(ways(definition, 'send_response')).toEqual([])
    expect(ways(definition, 'escalate_to_human')).toEqual([])
  })

  it('chooses between them by the confidence', () => {
    expect(definition.edges.filter((edge) => edge.from === 'decision_point' && edge.on === 'done')).toEqual([
      {
        from: 'decision_point',
        to: 'send_response',
        on: 'done',
        when: 'quality_assessment.confidence > 0.8',
      },
      { from: 'decision_point', to: 'escalate_to_human', on: 'done' },
    ])
  })

  it('reads three retries as four attempts of 30 seconds, and the fallback of every step but itself', () => {
    expect(definition.nodes['quality_check']).toMatchObject({ retry: { maxAttempts: 4 }, timeoutMs: 30_000 })
    const failing = definition.edges.filter((edge) => edge.on === 'failed')
    expect(new Set(failing.map((edge) => edge.to))).toEqual(new Set(['escalate_to_human']))
    expect(failing.map((edge) => edge.from).toSorted()).toEqual(
      definition.order.filter((id) => id !== 'escalate_to_human').toSorted(),
    )
  })

  it('means the same without the key it is wrapped in, and as JSON', () => {
    const bare = seed
      .split('\n')
      .filter((line) => !line.startsWith('customer_service_workflow:'))
      .map((line) => line.replace(/^ {2}/, ''))
      .join('\n')
    expect(accepted(bare)).toEqual(definition)
  })

  it('survives being stored as JSON', () => {
    expect(JSON.parse(JSON.stringify(definition))).toEqual(definition)
  })
})

describe('numbered steps', () => {
  it('go on after alternatives with the step after all of them', () => {
    const definition = accepted(`
name: x
steps:
  3_close: {agent: a}
  1_choose: {type: conditional, condition: n > 1, if_true: left, if_false: right}
  2b_right: {agent: a}
  2a_left: {agent: a}
inputs: [n]`)
    expect(definition.order).toEqual(['choose', 'left', 'right', 'close'])
    expect(ways(definition, 'left')).toEqual(['close'])
    expect(ways(definition, 'right')).toEqual(['close'])
  })

  it('leave a step that follows the fallback without a way back to it', () => {
    const definition = accepted(`
name: x
steps:
  1_work: {agent: a}
  2_mend: {agent: a}
  3_after: {agent: a}
error_handling: {fallback_action: mend}`)
    expect(ways(definition, 'work', 'failed')).toEqual(['mend'])
    expect(ways(definition, 'after', 'failed')).toEqual([])
  })

  it('read ten after nine, not after one', () => {
    const steps = Object.fromEntries([10, 9, 2, 1].map((n) => [`${n}_s${n}`, { agent: 'a' }]))
    expect(accepted({ name: 'x', steps }).order).toEqual(['s1', 's2', 's9', 's10'])
  })
})

describe("the platform's own list of steps", () => {
  it('reads work, review, branches and per-step limits', () => {
    const definition = accepted({
      format: 'tutti/1',
      name: 'publish',
      inputs: ['topic'],
      steps: [
        {
          name: 'draft',
          agent: 'writer',
          input: { about: 'topic' },
          output: 'text',
          retry_attempts: 0,
          timeout_seconds: 0.5,
        },
        {
          name: 'score',
          agent: 'judge',
          input: { text: 'text.body' },
          output: 'grade',
          fallback_action: 'ask',
        },
        {
          name: 'choose',
          branches: [
            { when: 'grade.value > 0.9', next: 'publish' },
            { when: 'grade.value < 0.1', next: 'end' },
          ],
          default: 'ask',
        },
        {
          name: 'ask',
          type: 'review',
          role: 'approver',
          question: 'Publish?',
          deadline_seconds: 60,
          if_rejected: 'end',
        },
        { name: 'publish', agent: 'publisher' },
      ],
    })
    expect(definition.nodes['draft']).toMatchObject({
      inputs: [{ param: 'about', path: ['topic'] }],
      retry: { maxAttempts: 1 },
      timeoutMs: 500,
    })
    expect(definition.nodes['score']).toMatchObject({ inputs: [{ param: 'text', path: ['text', 'body'] }] })
    expect(definition.nodes['ask']).toMatchObject({ kind: 'review', role: 'approver', deadlineMs: 60_000 })
    expect(ways(definition, 'choose')).toEqual(['publish', 'end', 'ask'])
    expect(ways(definition, 'ask', 'approved')).toEqual(['publish'])
    expect(ways(definition, 'ask', 'rejected')).toEqual(['end'])
    expect(ways(definition, 'score', 'failed')).toEqual(['ask'])
  })

  it('reads five steps that do nothing', () => {
    const steps = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, agent: 'noop' }))
    expect(accepted({ format: 'tutti/1', name: 'noop', steps }).edges).toHaveLength(4)
  })
})

const deep = `a: ${'['.repeat(10_000)}${']'.repeat(10_000)}`
const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...[...'bcdefgh'].map((name, index) => {
    const before = 'abcdefgh'[index]
    return `${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]`
  }),
].join('\n')
const one = (step: string, rest = '') => `name: x\nsteps:\n  1_one: ${step}\n${rest}`

/** Line and column of what stands after `¦`. */
function placeOfMark(text: string): [line: number, column: number] | undefined {
  const before = text.split('¦', 1)[0] ?? ''
  if (before === text) return undefined
  const lines = before.split('\n')
  return [lines.length, (lines.at(-1)?.length ?? 0) + 1]
}

type Case = {
  code: keyof typeof DEFINITION_PROBLEMS
  what: string
  text: string
  at?: [line: number, column: number]
  hint?: RegExp
  knownAgents?: string[]
  knownCapabilities?: string[]
  knownWorkflows?: string[]
  permitted?: ReadOptions['permitted']
}
const listed = (...steps: string[]) =>
  `name: x\ninputs: [n, xs]\nsteps:\n${steps.map((step) => `  - ${step}\n`).join('')}`
const cases: Case[] = [
  { code: 'text_too_large', what: 'more than 1 MiB', text: `name: ${'x'.repeat(1_048_577)}` },
  { code: 'too_complex', what: 'nesting 10,000 deep in brackets', text: deep },
  { code: 'too_complex', what: 'nesting 10,000 deep in dashes', text: `a: \n${'- '.repeat(10_000)}` },
  { code: 'too_complex', what: 'a million brackets', text: '['.repeat(1_000_000) },
  { code: 'too_complex', what: 'aliases that unfold to a hundred million', text: bomb },
  { code: 'too_complex', what: 'an alias that contains itself', text: 'name: &a [*a]' },
  {
    code: 'too_complex',
    what: '100,000 keys',
    text: Array.from({ length: 100_000 }, (_, n) => `k${n}: 1`).join('\n'),
  },
  {
    code: 'too_complex',
    what: '501 steps',
    text: `name: x\nsteps:\n${Array.from({ length: 501 }, (_, n) => `  ${n + 1}_s${n}: {agent: a}`).join('\n')}`,
  },
  { code: 'syntax', what: 'an open bracket', text: 'name: [x\nsteps: 1', at: [2, 1] },
  { code: 'syntax', what: 'two documents', text: 'name: x\n---\nname: y' },
  { code: 'syntax', what: 'nothing', text: '' },
  { code: 'syntax', what: 'a mapping as a key', text: 'name: x\n? {a: 1}\n: 2' },
  {
    code: 'syntax',
    what: 'a tag that makes objects',
    text: 'name: !!js/function "x"\nsteps: {1_a: {agent: a}}',
  },
  { code: 'unsafe_key', what: '__proto__', text: one('{agent: a}', '__proto__: {agent: b}'), at: [4, 1] },
  { code: 'unsafe_key', what: 'constructor', text: one('{agent: a, constructor: b}'), at: [3, 21] },
  { code: 'duplicate_key', what: 'a key twice', text: one('{agent: a}', 'name: y'), at: [4, 1] },
  {
    code: 'unknown_key',
    what: 'a misspelt key',
    text: one('{agnet: a, agent: a}'),
    at: [3, 11],
    hint: /"agent"/,
  },
  { code: 'missing_key', what: 'no steps', text: 'name: x', at: [1, 1] },
  {
    code: 'missing_key',
    what: 'a review without a way for a rejection',
    text: one('{type: review, question: Ok?}'),
    hint: /rejection/,
  },
  { code: 'wrong_type', what: 'a list as the name', text: 'name: [x]\nsteps: {1_a: {agent: a}}', at: [1, 7] },
  { code: 'wrong_type', what: 'a step that is a number', text: one('5'), at: [3, 10] },
  { code: 'out_of_range', what: 'minus one retry', text: one('{agent: a, retry_attempts: -1}'), at: [3, 37] },
  {
    code: 'invalid_name',
    what: 'an output no condition could name',
    text: one('{agent: a, output: my-out}'),
    at: [3, 29],
  },
  { code: 'unknown_format', what: 'a format of others', text: one('{agent: a}', 'format: bpmn'), at: [4, 9] },
  { code: 'missing_agent', what: 'a step without an agent', text: one('{input: y, output: z}'), at: [3, 3] },
  {
    code: 'unknown_agent',
    what: 'an agent that does not exist',
    text: one('{agent: wirter}'),
    at: [3, 18],
    hint: /"writer"/,
    knownAgents: ['writer'],
  },
  {
    code: 'unknown_action',
    what: 'an action that the catalogue does not have',
    text: one('{agent: a, governs: money.sepnd}'),
    at: [3, 30],
    hint: /money\.spend/,
  },
  {
    code: 'invalid_step_number',
    what: 'a step without a number',
    text: one('{agent: a}', '  two: {agent: a}'),
    at: [4, 3],
  },
  {
    code: 'invalid_step_number',
    what: 'a number twice',
    text: one('{agent: a}', '  1_two: {agent: a}'),
    at: [4, 3],
  },
  {
    code: 'invalid_step_number',
    what: 'a number with and without a letter',
    text: one('{agent: a}', '  1a_two: {agent: a}'),
    at: [4, 3],
  },
  {
    code: 'duplicate_step_name',
    what: 'a name twice',
    text: one('{agent: a}', '  2_one: {agent: a}'),
    at: [4, 3],
    hint: /rename/,
  },
  {
    code: 'unknown_step',
    what: 'a misspelt reference',
    text: one('{type: conditional, condition: "1 > 0", if_true: tow, if_false: two}', '  2_two: {agent: a}'),
    at: [3, 59],
    hint: /"two"/,
  },
  {
    code: 'unknown_step',
    what: 'a reference with its number',
    text: one('{agent: a, fallback_action: 2_two}', '  2_two: {agent: a}'),
    hint: /"two"/,
  },
  {
    code: 'ambiguous_next',
    what: 'alternatives after a step that does not choose',
    text: one('{agent: a}', '  2a_l: {agent: a}\n  2b_r: {agent: a}'),
    at: [3, 3],
  },
  {
    code: 'ambiguous_next',
    what: 'alternatives at the beginning',
    text: 'name: x\nsteps:\n  1a_l: {agent: a}\n  1b_r: {agent: a}',
  },
  {
    code: 'unreachable_step',
    what: 'an alternative nobody chooses',
    text: one(
      '{type: conditional, condition: "1 > 0", if_true: l, if_false: end}',
      '  2a_l: {agent: a}\n  2b_r: {agent: a}',
    ),
    at: [5, 3],
  },
  {
    code: 'cycle',
    what: 'a way back',
    text: one('{agent: a}', '  2_two: {agent: a, next: one}'),
    at: [4, 27],
  },
  { code: 'cycle', what: 'a step that follows itself', text: one('{agent: a, next: one}'), at: [3, 27] },
  {
    code: 'unknown_input',
    what: 'a misspelt input',
    text: one('{agent: a, output: draft}', '  2_two: {agent: a, input: darft}'),
    at: [4, 28],
    hint: /"draft"/,
  },
  {
    code: 'unknown_input',
    what: 'the name of a step for that of its output',
    text: one('{agent: a, output: draft}', '  2_two: {agent: a, input: one}'),
    hint: /"draft"/,
  },
  {
    code: 'unknown_input',
    what: 'a misspelt name in a condition',
    text: one('{agent: a, output: q}', '  2_two: {condition: qq > 1, if_true: end}'),
    at: [4, 22],
  },
  {
    code: 'input_not_yet_produced',
    what: 'the output of a later step',
    text: one('{agent: a}', '  2_two: {agent: a, input: late}\n  3_three: {agent: a, output: late}'),
    at: [4, 28],
  },
  {
    code: 'invalid_expression',
    what: 'half a comparison',
    text: one('{condition: "n >", if_true: end}', 'inputs: [n]'),
    at: [3, 26],
  },
  {
    code: 'invalid_expression',
    what: 'a number for a condition',
    text: one('{condition: 1 + 1, if_true: end}'),
    at: [3, 22],
  },
  {
    code: 'invalid_expression',
    what: 'a regular expression',
    text: one('{condition: \'n.matches("(a+)+$")\', if_true: end}', 'inputs: [n]'),
    hint: /contains/,
  },
  {
    code: 'invalid_expression',
    what: 'a loop inside a loop',
    text: one('{condition: "n.exists(x, n.exists(y, x == y))", if_true: end}', 'inputs: [n]'),
  },
  {
    code: 'invalid_expression',
    what: '60 brackets',
    text: one(`{condition: "${'('.repeat(60)}n${')'.repeat(60)} > 1", if_true: end}`, 'inputs: [n]'),
  },
  {
    code: 'too_complex',
    what: '501 steps, most of them inside of others',
    text: listed(
      ...Array.from({ length: 3 }, (_, fan) => {
        const steps = Array.from({ length: 170 }, (_item, n) => `{name: s${fan}_${n}, agent: a}`).join(', ')
        return `{name: each${fan}, over: xs, steps: [${steps}]}`
      }),
    ),
  },
  {
    code: 'too_complex',
    what: 'steps eleven deep',
    text: listed(
      `${Array.from({ length: 11 }, (_, n) => `{name: l${n}, max_turns: 2, steps: [`).join('')}{name: a, agent: a}${']}'.repeat(11)}`,
    ),
  },
  {
    code: 'too_complex',
    what: 'ways that part eleven times, each inside the other',
    text: JSON.stringify({
      name: 'x',
      entry: 'a0',
      nodes: Object.fromEntries(
        Array.from({ length: 12 }, (_, n) =>
          ['a', 'b', 'j'].map((side) => [`${side}${n}`, { agent: 'a' }]),
        ).flat(),
      ),
      edges: Array.from({ length: 12 }, (_, n) => [
        [`a${n}`, n < 11 ? [`a${n + 1}`, `b${n}`] : `b${n}`],
        [`b${n}`, `j${n}`],
        ...(n > 0 ? [[`j${n}`, `j${n - 1}`]] : []),
      ]).flat(),
    }),
  },
  {
    code: 'too_complex',
    what: '5,001 expressions',
    text: listed(
      ...Array.from({ length: 51 }, (_, n) => {
        const names = Array.from({ length: 99 }, (_item, m) => `v${n}_${m}: 1`).join(', ')
        return `{name: s${n}, next: end, type: transform, "set": {${names}}}`
      }),
    ),
  },
  {
    code: 'missing_key',
    what: 'a map without a list',
    text: listed('{name: ¦m, type: map, steps: [{name: a, agent: a}]}'),
    hint: /over/,
  },
  { code: 'missing_key', what: 'a wait for nothing', text: listed('{name: w, type: wait}'), hint: /signal/ },
  {
    code: 'wrong_type',
    what: 'a number as a duration',
    text: listed('{name: w, for: ¦30}'),
    hint: /for_seconds/,
  },
  { code: 'wrong_type', what: 'a month', text: listed('{name: w, for: ¦P1M}'), hint: /Months/ },
  { code: 'wrong_type', what: 'a 30th of February', text: listed('{name: w, until: ¦2027-02-32}') },
  { code: 'wrong_type', what: 'branches without steps', text: listed('{name: f, branches: {left: ¦[]}}') },
  {
    code: 'out_of_range',
    what: 'a longest delay below the first',
    text: listed('{name: t, agent: a, retry: {delay: 1h, max_delay: 1m}}'),
  },
  {
    code: 'invalid_name',
    what: 'a branch with a bracket',
    text: listed('{name: f, branches: {¦"a[1]": [{name: a, agent: a}]}}'),
  },
  { code: 'invalid_name', what: 'a step with a slash', text: listed('{name: ¦a/b, agent: a}') },
  { code: 'invalid_name', what: 'a step named as the end', text: listed('{name: ¦end, agent: a}') },
  {
    code: 'invalid_name',
    what: 'an end inside of a step',
    text: listed('{name: l, max_turns: 2, steps: [{name: end, type: end}]}'),
  },
  {
    code: 'conflicting_keys',
    what: 'two ways to say a retry',
    text: listed('{name: a, agent: a, retry_attempts: 1, retry: {attempts: 2}}'),
  },
  {
    code: 'conflicting_keys',
    what: 'an agent and a capability',
    text: listed('{name: a, agent: a, capability: ¦b}'),
  },
  {
    code: 'conflicting_keys',
    what: 'a duration twice',
    text: listed('{name: a, agent: a, timeout: 1s, timeout_seconds: 1}'),
  },
  {
    code: 'conflicting_keys',
    what: 'two things to wait for',
    text: listed('{name: a, signal: b, event: c}'),
  },
  {
    code: 'unknown_capability',
    what: 'what no agent can do',
    text: listed('{name: a, capability: ¦transaltion}'),
    hint: /"translation"/,
    knownCapabilities: ['translation'],
  },
  {
    code: 'not_permitted',
    what: 'an agent that may not be named',
    text: listed('{name: a, agent: a}', '{name: b, agent: ¦b}'),
    hint: /Permitted: a\./,
    permitted: { agent: ['a'] },
  },
  {
    code: 'unknown_agent',
    what: 'a message to nobody',
    text: listed('{name: a, to: wirter, body: Hello}'),
    hint: /"writer"/,
    knownAgents: ['writer'],
  },
  {
    code: 'unknown_agent',
    what: 'a compensation by nobody',
    text: listed('{name: a, agent: writer, compensate: ¦erazer}'),
    knownAgents: ['writer', 'eraser'],
  },
  {
    code: 'unknown_workflow',
    what: 'a workflow that does not exist',
    text: listed('{name: a, workflow: ¦pubish}'),
    hint: /"publish"/,
    knownWorkflows: ['publish'],
  },
  {
    code: 'unknown_step',
    what: 'a way out of a step from inside of it',
    text: listed('{name: l, max_turns: 2, steps: [{name: a, agent: a, next: ¦b}]}', '{name: b, agent: b}'),
    hint: /end/,
  },
  {
    code: 'unknown_step',
    what: 'a way from one branch to the other',
    text: listed('{name: f, branches: {l: [{name: a, agent: a, next: ¦b}], r: [{name: b, agent: b}]}}'),
  },
  {
    code: 'unknown_step',
    what: 'a fallback inside of a step',
    text: `${listed('{name: l, max_turns: 2, steps: [{name: a, agent: a}]}')}error_handling: {fallback_action: ¦a}`,
  },
  {
    code: 'unreachable_step',
    what: 'a step in a body that nothing leads to',
    text: listed('{name: l, max_turns: 2, steps: [{name: a, agent: a, next: end}, {name: ¦b, agent: b}]}'),
  },
  {
    code: 'cycle',
    what: 'a way back in a body',
    text: listed('{name: l, max_turns: 2, steps: [{name: a, agent: a}, {name: b, agent: b, next: ¦a}]}'),
    hint: /loop/,
  },
  {
    code: 'unbounded_loop',
    what: 'a loop without a bound',
    text: listed('{name: ¦l, while: n > 1, steps: [{name: a, agent: a}]}'),
    hint: /max_turns/,
  },
  {
    code: 'impossible_join',
    what: 'three of two branches',
    text: listed('{name: f, join: ¦3, branches: {l: [{name: a, agent: a}], r: [{name: b, agent: b}]}}'),
    hint: /1 to 2/,
  },
  {
    code: 'impossible_join',
    what: 'none of a list',
    text: listed('{name: m, over: xs, join: ¦0, steps: [{name: a, agent: a}]}'),
  },
  {
    code: 'impossible_join',
    what: 'more than a list may hold',
    text: listed('{name: m, over: xs, join: 11, max_items: 10, steps: [{name: a, agent: a}]}'),
  },
  {
    code: 'conflicting_output',
    what: 'a name from both branches',
    text: listed(
      '{name: f, branches: {l: [{name: a, agent: a, output: o}], r: [{name: b, agent: b, output: ¦o}]}}',
    ),
    hint: /Rename/,
  },
  {
    code: 'conflicting_output',
    what: 'the item as an output',
    text: listed('{name: m, over: xs, as: x, steps: [{name: a, agent: a, output: ¦x}]}'),
  },
  {
    code: 'conflicting_output',
    what: "a turn's number as an output in a list inside of it",
    text: listed(
      '{name: l, max_turns: 2, index_as: i, steps: [{name: m, over: xs, steps: [{name: a, agent: a, output: i}]}]}',
    ),
  },
  {
    code: 'input_not_yet_produced',
    what: "the other branch's output",
    text: listed(
      '{name: f, branches: {l: [{name: a, agent: a, output: o}], r: [{name: b, agent: b, input: ¦o}]}}',
    ),
    hint: /joined/,
  },
  {
    code: 'input_not_yet_produced',
    what: 'the output for an item, outside of it',
    text: listed(
      '{name: m, over: xs, steps: [{name: a, agent: a, output: o}]}',
      '{name: b, agent: b, input: ¦o}',
    ),
    hint: /collect/,
  },
  {
    code: 'unknown_input',
    what: 'the item outside of its list',
    text: listed(
      '{name: m, over: xs, as: y, steps: [{name: a, agent: a, input: y}]}',
      '{name: b, agent: b, input: ¦y}',
    ),
  },
  {
    code: 'unknown_input',
    what: 'a name in a compensation that the step was not given',
    text: listed('{name: a, agent: a, input: n, compensate: {agent: b, input: {m: ¦xs}}}'),
    hint: /\$output/,
  },
  {
    code: 'unknown_input',
    what: 'an output as the key of a limit',
    text: `${listed('{name: a, agent: a, output: o}')}concurrency: {key: ¦oo, max: 1}`,
  },
  {
    code: 'invalid_schema',
    what: 'a misspelt keyword',
    text: listed('{name: a, agent: a, output_schema: {type: object, ¦requried: [b]}}'),
    hint: /"required"/,
  },
  {
    code: 'invalid_schema',
    what: 'a type that is none',
    text: listed('{name: a, agent: a, output_schema: {properties: {b: {type: ¦text}}}}'),
  },
  {
    code: 'invalid_schema',
    what: 'a reference to nothing',
    text: listed("{name: a, agent: a, output_schema: {$ref: '#/$defs/b'}}"),
  },
  { code: 'invalid_schema', what: 'a text', text: listed('{name: a, agent: a, output_schema: ¦string}') },
  {
    code: 'type_mismatch',
    what: 'a number compared with a text',
    text: listed(
      '{name: a, agent: a, output: o, output_schema: {type: object, properties: {score: {type: number}}}}',
      '{name: b, condition: "n == 1 || ¦o.score > \'high\'", if_true: end}',
    ),
  },
  {
    code: 'type_mismatch',
    what: 'a field that cannot be there',
    text: listed(
      '{name: a, agent: a, output: o, output_schema: {type: object, properties: {b: {}}, additionalProperties: false}}',
      '{name: b, agent: b, input: {c: ¦o.c}}',
    ),
  },
  {
    code: 'type_mismatch',
    what: 'a decision that nobody can make',
    text: listed(
      '{name: r, question: Ok?, if_rejected: end, output: o}',
      "{name: b, condition: ¦o.outcome == 'approved', if_true: end}",
    ),
  },
  {
    code: 'type_mismatch',
    what: 'a list that is none',
    text: `${listed('{name: m, over: ¦n, steps: [{name: a, agent: a}]}')}schemas: {input: {properties: {n: {type: integer}}}}`,
  },
  {
    code: 'crossing_branches',
    what: 'ways side by side that do not come together',
    text: `name: x
entry_point: a
nodes: {a: {agent: a}, b: {agent: a}, c: {agent: a}, d: {agent: a}, e: {agent: a}}
edges: [[a, ¦b], [a, c], [b, d], [c, d], [c, e], [d, END], [e, END]]`,
    hint: /parallel/,
  },
]

describe('what is refused', () => {
  it.each(cases)('$code: $what', ({ code, text: marked, at = placeOfMark(marked), hint, ...known }) => {
    const problems = refused(marked.replace('¦', ''), known)
    const problem = problems.find((candidate) => candidate.code === code)
    expect(problem, JSON.stringify(problems)).toBeDefined()
    expect(problem?.hint).toMatch(hint ?? /./)
    if (at) expect([problem?.line, problem?.column]).toEqual(at)
    expect(problem?.line).toBeGreaterThan(0)
  })

  it('has a case for every code', () => {
    expect(new Set(cases.map(({ code }) => code))).toEqual(new Set(Object.keys(DEFINITION_PROBLEMS)))
  })

  it('is said all at once, in the order of the text', () => {
    const problems = refused(`
name: x
steps:
  1_a: {agent: a, colour: red}
  2_b: {agent: b, input: nowhere}
  3_c: {type: conditional, condition: nowhere >, if_true: missing, if_false: a}
  4_d: {}
`)
    expect(problems.map(({ code, line }) => `${line} ${code}`)).toEqual([
      '4 unknown_key',
      '5 unknown_input',
      '6 invalid_expression',
      '6 unknown_step',
      '6 cycle',
      '7 missing_agent',
    ])
  })

  it('names the path, and no line, when an object was read', () => {
    const [problem] = refused({ name: 'x', steps: { '1_a': { agent: 5 } } })
    expect(problem).toMatchObject({ code: 'wrong_type', path: 'steps.1_a.agent', line: null, column: null })
  })

  it('includes an object that contains itself, and unsafe keys of an object', () => {
    const loop: Record<string, unknown> = { name: 'x' }
    loop['steps'] = loop
    expect(refused(loop).map(({ code }) => code)).toContain('too_complex')
    expect(refused(JSON.parse('{"name":"x","__proto__":{"steps":[]}}')).map(({ code }) => code)).toContain(
      'unsafe_key',
    )
  })
})
