import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyDocument } from './any-document.ts'
import { readDefinition } from './index.ts'
import type { WorkflowDefinition, WorkflowNode } from './index.ts'

function accepted(source: unknown): WorkflowDefinition {
  const result = readDefinition(source)
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 2))
  return result.definition
}

/** The definition with these steps, in YAML's flow style. */
const steps = (...written: string[]) =>
  accepted(`name: x\ninputs: [n, xs, item]\nsteps:\n${written.map((step) => `  - ${step}\n`).join('')}`)

const node = (step: string): WorkflowNode | undefined => steps(step).nodes['s']

const ways = ({ edges }: WorkflowDefinition, from: string, on = 'done') =>
  edges
    .filter((edge) => edge.from === from && edge.on === on)
    .map(({ to, when }) => (when ? `${to} when ${when}` : to))

describe('work', () => {
  it('is done by an agent or by any that has a capability', () => {
    expect(node('{name: s, agent: writer}')).toMatchObject({ kind: 'task', agent: 'writer' })
    const able = node('{name: s, capability: translation}')
    expect(able).toMatchObject({ kind: 'task', capability: 'translation' })
    expect(able).not.toHaveProperty('agent')
  })

  it('is given names, paths, values and expressions', () => {
    expect(
      node(`{name: s, agent: a, input: {a: n, b: n.title, c: "= size(xs)", d: 5, e: false}}`),
    ).toMatchObject({
      inputs: [
        { param: 'a', path: ['n'] },
        { param: 'b', path: ['n', 'title'] },
        { param: 'c', value: 'size(xs)' },
        { param: 'd', value: '5' },
        { param: 'e', value: 'false' },
      ],
    })
  })

  it('is tried again and limited as it says, the rest as the workflow says', () => {
    const { nodes } = accepted(`
name: x
error_handling:
  retry: {attempts: 5, delay: 2s, factor: 1, jitter: 0, never: [BAD]}
  timeout: 1m
steps:
  - {name: s, agent: a, retry: {attempts: 2, max_delay: 1h}, timeout_seconds: 0.5, step_timeout: PT1H, heartbeat_timeout: 10s}
  - {name: t, agent: a, retry_attempts: 0, retry_delay_seconds: 120}`)
    expect(nodes['s']).toMatchObject({
      retry: {
        maxAttempts: 2,
        initialDelayMs: 2_000,
        factor: 1,
        maxDelayMs: 3_600_000,
        jitter: 0,
        never: ['BAD'],
      },
      timeoutMs: 500,
      stepTimeoutMs: 3_600_000,
      heartbeatMs: 10_000,
    })
    expect(nodes['t']).toMatchObject({
      retry: { maxAttempts: 1, initialDelayMs: 120_000, maxDelayMs: 120_000, never: ['BAD'] },
      timeoutMs: 60_000,
    })
  })

  it('says what its result looks like, what undoes it and how far its plan may go', () => {
    expect(
      node(
        '{name: s, agent: a, input: n, output_schema: {type: object}, compensate: {agent: b, input: {id: $output.id, was: n}}, plan: {max_tasks: 5, budget_usd: 0.5, agents: [b], capabilities: writing}}',
      ),
    ).toMatchObject({
      outputSchema: { type: 'object' },
      compensate: {
        agent: 'b',
        inputs: [
          { param: 'id', path: ['$output', 'id'] },
          { param: 'was', path: ['n'] },
        ],
      },
      plan: { maxTasks: 5, maxDepth: 2, budgetUsd: 0.5, agents: ['b'], capabilities: ['writing'] },
    })
    expect(node('{name: s, agent: a, compensate: b}')).toMatchObject({ compensate: { agent: 'b' } })
  })
})

describe('steps side by side', () => {
  const fan = steps(
    `{name: fan, join: 2, on_failure: collect, output: all, branches: {
      a: [{name: a1, agent: a, output: one}, {name: a2, agent: a, input: one, next: end}],
      b: [{name: b1, agent: a, fallback_action: end}], c: [{name: c1, agent: a}]}}`,
    '{name: after, agent: a, input: [all, one]}',
  )

  it('are nodes of the parallel, whose edges stay in it', () => {
    expect(fan.nodes['fan']).toEqual({
      id: 'fan',
      kind: 'parallel',
      branches: [
        { name: 'a', entry: 'a1' },
        { name: 'b', entry: 'b1' },
        { name: 'c', entry: 'c1' },
      ],
      join: { mode: 'count', count: 2 },
      onFailure: 'collect',
      output: 'all',
    })
    expect(fan.order).toEqual(['fan', 'a1', 'a2', 'b1', 'c1', 'after'])
    expect(fan.nodes['a2']).toMatchObject({ parent: 'fan' })
    expect(ways(fan, 'a1')).toEqual(['a2'])
    expect(ways(fan, 'a2')).toEqual(['end:fan'])
    expect(ways(fan, 'b1')).toEqual([])
    expect(ways(fan, 'b1', 'failed')).toEqual(['end:fan'])
    expect(ways(fan, 'fan')).toEqual(['after'])
    expect(fan.nodes['end:fan']).toEqual({ id: 'end:fan', kind: 'end', parent: 'fan' })
  })

  it('leave their failures to the step around them, not to the fallback of the workflow', () => {
    const { edges } = accepted({
      name: 'x',
      steps: [
        { name: 'fan', branches: { a: [{ name: 'a1', agent: 'a' }] } },
        { name: 'mend', agent: 'a' },
      ],
      error_handling: { fallback_action: 'mend' },
    })
    expect(edges.filter(({ on }) => on === 'failed')).toEqual([{ from: 'fan', to: 'mend', on: 'failed' }])
  })
})

describe('the same steps for every item', () => {
  it('are a map, with what little it needs', () => {
    expect(steps('{name: s, over: xs, steps: [{name: a, agent: a, input: item}]}').nodes).toMatchObject({
      s: {
        kind: 'map',
        over: 'xs',
        as: 'item',
        entry: 'a',
        join: { mode: 'all' },
        onFailure: 'fail',
        maxItems: 10_000,
      },
      a: { parent: 's', inputs: [{ param: 'item', path: ['item'] }] },
    })
  })

  it('are a map, with all it can say', () => {
    expect(
      node(
        '{name: s, over: "xs.filter(x, x > n)", as: one, index_as: at, concurrency: 3, join: "any", on_failure: collect, collect: "[at, out]", max_items: 50, output: all, steps: [{name: a, agent: a, input: [one, at, n], output: out}]}',
      ),
    ).toEqual({
      id: 's',
      kind: 'map',
      over: 'xs.filter(x, x > n)',
      as: 'one',
      indexAs: 'at',
      entry: 'a',
      concurrency: 3,
      join: { mode: 'any' },
      onFailure: 'collect',
      collect: '[at, out]',
      output: 'all',
      maxItems: 50,
    })
  })
})

describe('a loop', () => {
  it('lets a turn read what the turn before it made, and what comes after it too', () => {
    const definition = steps(
      '{name: s, until: grade.ok, max_turns: 5, index_as: turn, steps: [{name: a, agent: a, input: [grade, turn], output: text}, {name: b, agent: a, input: text, output: grade}]}',
      '{name: after, agent: a, input: [text, grade]}',
    )
    expect(definition.nodes['s']).toEqual({
      id: 's',
      kind: 'loop',
      entry: 'a',
      until: 'grade.ok',
      maxTurns: 5,
      onExhausted: 'fail',
      indexAs: 'turn',
    })
  })

  it('without a condition is done after its turns', () => {
    expect(node('{name: s, max_turns: 2, steps: [{name: a, agent: a}]}')).toMatchObject({
      onExhausted: 'done',
    })
  })
})

describe('what the engine does itself', () => {
  it.each([
    ['{name: s, for: 30d}', { type: 'duration', ms: 2_592_000_000 }],
    ['{name: s, for_seconds: 1.5}', { type: 'duration', ms: 1_500 }],
    ['{name: s, for: P1DT2H}', { type: 'duration', ms: 93_600_000 }],
    ['{name: s, until: 2027-01-31T09:00:00Z}', { type: 'until', at: '"2027-01-31T09:00:00Z"' }],
    [
      '{name: s, until: "timestamp(n.at) - duration(\'24h\')"}',
      { type: 'until', at: "timestamp(n.at) - duration('24h')" },
    ],
    [
      '{name: s, signal: paid, schema: {type: object}}',
      { type: 'signal', name: 'paid', schema: { type: 'object' } },
    ],
    [
      '{name: s, event: content.approved, filter: event.data.id == n.id}',
      { type: 'event', event: 'content.approved', filter: 'event.data.id == n.id' },
    ],
  ])('%s waits', (step, waits) => {
    expect(node(step)).toMatchObject({ kind: 'wait', for: waits })
  })

  it('waits for no longer than the timeout, and goes on elsewhere then', () => {
    const definition = steps(
      '{name: s, signal: paid, timeout: 1h30m, if_expired: late}',
      '{name: late, agent: a}',
    )
    expect(definition.nodes['s']).toMatchObject({ timeoutMs: 5_400_000 })
    expect(ways(definition, 's', 'expired')).toEqual(['late'])
  })

  it('runs another workflow, waits for it or leaves it alone', () => {
    expect(node('{name: s, workflow: other, input: n, output: o, timeout: 1h}')).toEqual({
      id: 's',
      kind: 'workflow',
      workflow: 'other',
      inputs: [{ param: 'n', path: ['n'] }],
      wait: true,
      output: 'o',
      timeoutMs: 3_600_000,
    })
    expect(node('{name: s, workflow: other, version: 2, wait: false}')).toMatchObject({
      wait: false,
      version: 2,
    })
  })

  it.each([
    ['Hello', '"Hello"'],
    ['"= {\'t\': n.title}"', "{'t': n.title}"],
    ['"two\\nlines, \\"q\\""', String.raw`"two\nlines, \"q\""`],
  ])('sends the message %s', (body, expression) => {
    expect(node(`{name: s, to: writer, body: ${body}}`)).toMatchObject({
      kind: 'message',
      to: 'writer',
      channel: 'inbox',
      body: expression,
    })
  })

  it('computes names, each with those before it', () => {
    const definition = steps(
      '{name: s, "set": {a: 1 + 2, b: a * 2, c: true}}',
      '{name: t, agent: a, input: [a, b, c]}',
    )
    expect(definition.nodes['s']).toEqual({
      id: 's',
      kind: 'transform',
      assign: [
        { name: 'a', value: '1 + 2' },
        { name: 'b', value: 'a * 2' },
        { name: 'c', value: 'true' },
      ],
    })
  })

  it('chooses a way after any step', () => {
    const definition = steps(
      "{name: s, agent: a, output: o, next: [{when: o.kind == 'a', next: t}, {when: = o.done, next: end}, u]}",
      '{name: t, agent: a, next: []}',
      '{name: u, agent: a}',
    )
    expect(ways(definition, 's')).toEqual(["t when o.kind == 'a'", 'end when o.done', 'u'])
    expect(ways(definition, 't')).toEqual([])
  })
})

describe('a workflow', () => {
  it('says its payload, limits and schemas', () => {
    expect(
      accepted(`
name: x
trigger: incoming_order
priority: -3
timeout: 2h
concurrency: {key: order.customer, max: 1}
schemas:
  input: {type: object, properties: {order: {type: object}, note: {type: string}}}
  state: {total: {type: number}}
steps: [{name: s, agent: a, input: order}]`),
    ).toMatchObject({
      inputs: ['order', 'note'],
      priority: -3,
      timeoutMs: 7_200_000,
      concurrency: { key: 'order.customer', max: 1 },
      schemas: { state: { total: { type: 'number' } } },
    })
    expect(accepted({ name: 'x', concurrency: 5, steps: [{ name: 's', agent: 'a' }] }).concurrency).toEqual({
      max: 5,
    })
  })

  it('infers its payload from what is read before anything can have been made', () => {
    const definition = accepted(`
name: x
concurrency: {key: tenant, max: 1}
steps:
  - {name: s, over: xs, steps: [{name: a, agent: a, input: [item, tone]}]}`)
    expect(definition.inputs.toSorted()).toEqual(['tenant', 'tone', 'xs'])
  })
})

describe('bodies, whatever their shape', () => {
  it('hold every way, and have an entry of their own', () => {
    fc.assert(
      fc.property(anyDocument, (document) => {
        const { nodes, edges, entry, order } = accepted(document)
        for (const { from, to } of edges) expect(nodes[from]?.parent).toBe(nodes[to]?.parent)
        expect(nodes[entry]?.parent).toBeUndefined()
        for (const [index, id] of order.entries()) {
          const parent = nodes[id]?.parent
          if (parent !== undefined) expect(order.indexOf(parent)).toBeLessThan(index)
          const inner = nodes[id]
          const entries =
            inner?.kind === 'parallel'
              ? inner.branches.map((branch) => branch.entry)
              : inner?.kind === 'map' || inner?.kind === 'loop'
                ? [inner.entry]
                : []
          for (const first of entries) expect(nodes[first]?.parent).toBe(id)
        }
      }),
      { numRuns: 100 },
    )
  })
})
