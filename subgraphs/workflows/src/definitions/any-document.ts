import fc from 'fast-check'

/** A workflow as its author writes it, as a plain object. */
export type PlainDocument = Readonly<Record<string, unknown>>

type Step = Record<string, unknown>

const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }),
  fc.constantFrom(
    'a: b',
    '- x',
    '{n}',
    '"q"',
    "it's",
    'two\nlines\n',
    ' spaced ',
    '= 5',
    'null',
    '#',
    '1',
    '*a',
    '%',
  ),
)
const said = text.filter((value) => value.trim() !== '')
const duration = fc.constantFrom('1s', '90s', '1h30m', 'PT15M', '2d', '0.5s', '250ms', 'P1DT1S')
const schema = fc.constantFrom<unknown>(
  true,
  {},
  { type: 'object', properties: { score: { type: 'number' } } },
  { enum: ['a', 1, null], description: 'x: y' },
)

/** Valid documents in the platform's own format, in all shapes and mixtures of them. */
export const anyDocument: fc.Arbitrary<PlainDocument> = fc.gen().map((gen) => new Maker(gen).document())

/** Documents of nodes and edges without a cycle: ways part and meet again, with conditions or side by side; some do not. */
export const anyGraph: fc.Arbitrary<PlainDocument> = fc.gen().map((gen) => new Maker(gen).graph())

type GraphEdge = { readonly from: string; readonly to: string; readonly when?: string }

class Maker {
  readonly #gen: fc.GeneratorValue
  #names = 0

  constructor(gen: fc.GeneratorValue) {
    this.#gen = gen
  }

  number(min: number, max: number): number {
    return this.#gen(fc.integer, { min, max })
  }

  one<T>(...values: readonly [T, ...T[]] | readonly T[]): T {
    const value = values[this.number(0, values.length - 1)]
    if (value === undefined) throw new Error('Nothing to choose from.')
    return value
  }

  /** True once in so many times. */
  chance(of: number): boolean {
    return this.number(1, of) === 1
  }

  document(): PlainDocument {
    const steps = this.#body(['n', 'xs'], 2)
    const fallback = this.chance(4) ? this.#name('fallback') : undefined
    if (fallback !== undefined) {
      // Something must be left for it to take over from.
      delete steps[0]?.['fallback_action']
      steps.push({ name: fallback, agent: 'a' })
    }
    return {
      format: 'tutti/1',
      name: this.#some(said),
      inputs: ['n', 'xs'],
      ...this.#maybe('description', () => this.#some(said)),
      ...this.#maybe('trigger', () => 'incoming_n'),
      ...this.#maybe('priority', () => this.number(-10, 10)),
      ...this.#maybe('timeout', () => this.#some(duration)),
      ...this.#maybe('concurrency', () => this.one<unknown>(3, { max: 2 }, { key: 'n.id', max: 1 })),
      ...this.#maybe('schemas', () => ({
        ...this.#maybe('input', () => this.#some(schema)),
        ...this.#maybe('state', () => ({ o1: true })),
        ...this.#maybe('output', () => this.#some(schema)),
      })),
      error_handling: {
        ...this.#errorFields(),
        ...(fallback === undefined ? {} : { fallback_action: fallback }),
      },
      steps,
    }
  }

  graph(): PlainDocument {
    const edges: GraphEdge[] = []
    const first = this.#name('g')
    this.#chain(first, 'END', 2, edges)
    const names = [...new Set(edges.map(({ from }) => from))]
    // Now and then one edge too many, mostly one that cannot be joined.
    if (this.chance(4)) {
      const from = this.number(0, names.length - 1)
      edges.push({ from: names[from] ?? first, to: this.one(...names.slice(from + 1), 'END') })
    }
    const nodes = Object.fromEntries(names.map((name) => [name, { agent: 'a', output: `of_${name}` }]))
    return { name: 'graph', inputs: ['n'], entry_point: first, nodes, edges }
  }

  /** Ways from a node that is there to one that is to come, with what lies between them. */
  #chain(from: string, to: string, depth: number, edges: GraphEdge[]): void {
    let last = from
    for (let left = this.number(0, 2); left > 0; left -= 1) {
      const next = this.#name('g')
      if (depth > 0 && this.chance(2)) this.#part(last, next, depth, edges)
      else edges.push({ from: last, to: next })
      last = next
    }
    edges.push({ from: last, to })
  }

  #part(from: string, to: string, depth: number, edges: GraphEdge[]): void {
    const together = this.chance(2)
    for (let way = this.number(2, 3); way > 0; way -= 1) {
      const first = this.#name('g')
      edges.push({ from, to: first, ...(together || way === 1 ? {} : { when: `n == ${way}` }) })
      this.#chain(first, to, depth - 1, edges)
    }
  }

  #some<T>(values: fc.Arbitrary<T>): T {
    return this.#gen(() => values)
  }

  #name(prefix: string): string {
    this.#names += 1
    return `${prefix}${this.#names}`
  }

  #maybe(key: string, value: () => unknown): Record<string, unknown> {
    return this.chance(3) ? { [key]: value() } : {}
  }

  /** Steps of which each can be reached: some way of every step leads to the one after it. */
  #body(seen: readonly string[], depth: number): Step[] {
    const names = [...seen]
    const steps: Step[] = []
    const count = this.number(1, 4)
    for (let index = 0; index < count; index += 1) {
      const step = this.#step(names, depth)
      steps.push(step)
      if (typeof step['output'] === 'string') names.push(step['output'])
    }
    for (const [index, step] of steps.entries())
      this.#lead(
        step,
        steps.slice(index + 1).map(({ name }) => String(name)),
      )
    return steps
  }

  #lead(step: Step, later: readonly string[]): void {
    const target = () => this.one('end', ...later)
    const following = later[0]
    if (this.chance(4)) step['fallback_action'] = target()
    if (step['kind'] === 'condition') {
      delete step['kind']
      Object.assign(step, this.#choice(target, following))
    } else if ('question' in step) {
      step['if_rejected'] = this.chance(4) ? [] : target()
      if (this.chance(3)) step['if_expired'] = target()
      if (this.chance(3)) step['if_approved'] = following ?? this.one<unknown>('end', [])
    } else if (this.chance(2)) {
      const ways = [{ when: 'n == 3', next: target() }]
      step['next'] = this.one<unknown>(
        following ?? 'end',
        [...ways, following ?? 'end'],
        following === undefined ? [] : following,
      )
      if (this.chance(4) && following === undefined) step['next'] = ways
    }
    if (('signal' in step || 'event' in step || 'board' in step) && this.chance(2))
      step['if_expired'] = target()
  }

  #choice(target: () => string, following: string | undefined): Step {
    const otherwise = following ?? this.one<unknown>('end', [])
    if (this.chance(2))
      return {
        condition: this.one<unknown>('n > 1', true, 'n.tags.exists(t, t == "x")'),
        if_true: target(),
        ...this.#maybe('if_false', () => otherwise),
      }
    const branches = Array.from({ length: this.number(1, 3) }, () => ({ when: '= n < 5', next: target() }))
    return { branches, ...this.#maybe('default', () => otherwise) }
  }

  #step(names: readonly string[], depth: number): Step {
    const name = this.#name(this.one('s', 'step-', '_'))
    const about = { name, ...this.#maybe('description', () => this.#some(said)) }
    const flat = ['task', 'task', 'condition', 'review', 'workflow', 'wait', 'message', 'transform'] as const
    const kind = this.one<string>(...flat, ...(depth > 0 ? ['parallel', 'map', 'loop'] : []))
    const output = () => this.#maybe('output', () => this.#name('o'))
    switch (kind) {
      case 'task':
        return { ...about, ...this.#task(names), ...output() }
      case 'condition':
        return { ...about, kind: 'condition' }
      case 'review':
        return {
          ...about,
          question: this.#some(said),
          ...this.#input(names),
          ...this.#maybe('deadline', () => '2d'),
          ...this.#maybe('arguments_schema', () => this.#some(schema)),
          ...output(),
        }
      case 'workflow':
        return {
          ...about,
          workflow: 'other',
          ...this.#input(names),
          ...this.one<Step>({}, { wait: false }, { timeout: this.#some(duration) }),
          ...this.#maybe('version', () => this.number(1, 9)),
          ...output(),
        }
      case 'wait':
        return { ...about, ...this.#wait(), ...output() }
      case 'message':
        return {
          ...about,
          to: 'a',
          body: this.one(this.#some(said), `= [${this.one(...names)}]`),
          ...this.#maybe('channel', () => 'urgent'),
          ...output(),
        }
      case 'transform':
        return {
          ...about,
          ...Object.fromEntries([
            [
              'set',
              {
                [this.#name('v')]: this.one<unknown>(1, 0.5, true, 'n', '"x"'),
                [this.#name('v')]: 'size(xs)',
              },
            ],
          ]),
        }
      case 'parallel':
        return this.#parallel(about, names, depth, output())
      case 'map':
        return this.#map(about, names, depth, output())
      default:
        return this.#loop(about, names, depth)
    }
  }

  #parallel(about: Step, names: readonly string[], depth: number, output: Step): Step {
    const branches = Array.from({ length: this.number(1, 3) }, () => [
      this.#name('b'),
      this.#body(names, depth - 1),
    ])
    const join = this.one<unknown>('all', 'any', this.number(1, branches.length))
    return {
      ...about,
      branches: Object.fromEntries(branches),
      ...this.#maybe('join', () => join),
      ...this.#onFailure(),
      ...output,
    }
  }

  #map(about: Step, names: readonly string[], depth: number, output: Step): Step {
    const item = this.chance(2) ? this.#name('i') : 'item'
    const index = this.chance(3) ? this.#name('x') : undefined
    const within = [...names, item, ...(index === undefined ? [] : [index])]
    return {
      ...about,
      over: this.one('xs', 'xs.filter(x, x != null)'),
      ...(item === 'item' ? {} : { as: item }),
      ...(index === undefined ? {} : { index_as: index }),
      steps: this.#body(within, depth - 1),
      ...this.#maybe('concurrency', () => this.number(1, 9)),
      ...this.#maybe('join', () => this.one<unknown>('any', 2)),
      ...this.#maybe('collect', () => `[${item}]`),
      ...this.#maybe('max_items', () => 50),
      ...this.#onFailure(),
      ...output,
    }
  }

  #loop(about: Step, names: readonly string[], depth: number): Step {
    const index = this.chance(3) ? this.#name('t') : undefined
    return {
      ...about,
      max_turns: this.number(1, 9),
      ...this.#maybe('while', () => 'n > 1'),
      ...this.#maybe('until', () => `${index ?? 'n'} == 2`),
      ...this.#maybe('on_exhausted', () => this.one('done', 'fail')),
      ...(index === undefined ? {} : { index_as: index }),
      steps: this.#body(index === undefined ? names : [...names, index], depth - 1),
    }
  }

  #onFailure(): Step {
    return this.#maybe('on_failure', () => this.one('fail', 'collect'))
  }

  #task(names: readonly string[]): Step {
    return {
      ...this.one({ agent: this.#some(said) }, { capability: 'translation' }),
      ...this.#input(names),
      ...this.#errorFields(),
      ...this.#maybe('output_schema', () => this.#some(schema)),
      ...this.#maybe('step_timeout', () => this.#some(duration)),
      ...this.#maybe('heartbeat_timeout', () => '10s'),
      ...this.#maybe('compensate', () =>
        this.one<unknown>(
          'undo',
          { capability: 'undo', input: { id: '$output.id' } },
          { agent: 'undo', input: [] },
        ),
      ),
      ...this.#maybe('governs', () =>
        this.one<unknown>('money.spend', {
          action: 'data.export',
          amount: 12.5,
          risk: 'high',
          classification: 'sensitive',
          deadline: '30m',
          on_deadline: this.one('expire', 'escalate'),
          arguments_schema: this.#some(schema),
        }),
      ),
      ...this.#maybe('plan', () =>
        this.one<unknown>(
          true,
          false,
          { max_tasks: 5, budget_usd: 0.5 },
          { agents: ['a'], capabilities: 'undo' },
        ),
      ),
    }
  }

  #errorFields(): Step {
    return {
      ...this.#maybe('timeout', () => this.#some(duration)),
      ...this.one<Step>(
        {},
        { retry_attempts: this.number(0, 5), retry_delay_seconds: this.number(0, 100) },
        {
          retry: {
            ...this.#maybe('attempts', () => this.number(1, 9)),
            ...this.#maybe('delay', () => this.#some(duration).replace(/^2d$|^P1DT1S$/, '1d')),
            ...this.#maybe('factor', () => this.one(1, 1.5, 3)),
            ...this.#maybe('max_delay', () => '1d'),
            ...this.#maybe('jitter', () => this.one(0, 0.5, 1)),
            ...this.#maybe('only', () => this.one<unknown>(['A', 'B'], 'A')),
            ...this.#maybe('never', () => []),
          },
        },
      ),
    }
  }

  #wait(): Step {
    return this.one<Step>(
      { for: this.#some(duration) },
      { for_seconds: 90 },
      { until: '2027-01-31T09:00:00Z' },
      { until: 'n.at' },
      { signal: this.#some(said), schema: this.#some(schema), timeout: '1h' },
      { board: 'research', input: [], schema: this.#some(schema), timeout: '1h' },
      { event: 'content.approved', filter: 'event.data.id == n.id' },
    )
  }

  #input(names: readonly string[]): Step {
    return this.#maybe('input', () =>
      this.one<unknown>(this.one(...names), [...new Set([this.one(...names), this.one(...names)])], {
        a: this.one(...names),
        b: 'n.field.deep',
        c: `= string(${this.one(...names)})`,
        d: 5,
        e: true,
        f: -0.5,
      }),
    )
  }
}
