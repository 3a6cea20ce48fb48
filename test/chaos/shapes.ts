import { type AgentName, behaviourOf, TROUBLES } from './behaviour.ts'

/** A run after its end, as its shape looks at it. */
export interface EndedRun {
  readonly id: string
  /** Its number among the runs. */
  readonly n: number
  readonly status: string
  /** Names and values of its end; empty when it failed. */
  readonly outputs: Readonly<Record<string, unknown>>
  /** Its tasks by path. */
  readonly tasks: ReadonlyMap<string, { readonly status: string; readonly attempt: number }>
  /** Paths of its completed tasks in the order of their ends. */
  readonly order: readonly string[]
  /** The idempotency key of a step. */
  keyOf(path: string): string
}

/** A workflow with what becomes of every run of it. */
export interface Shape {
  /** Its definition, without format and name. */
  readonly document: object
  input(n: number): Record<string, unknown>
  /** What is not as it must be; empty when all is. */
  faultsOf(run: EndedRun): string[]
}

/** The workflow that another one runs. */
export const CHILD = 'chaos-child'
/** The signal that a run waits for. */
export const SIGNAL = 'go'

// More tries than the agents' own failures need: what the platform loses in between must not decide over a run.
const RETRY = { error_handling: { retry: { attempts: 8, delay: '50ms', max_delay: '500ms' } } }

const step = (name: string, more: object = {}, agent: AgentName = 'steady'): object => ({
  name,
  agent,
  ...more,
})
const steps = (...list: object[]): object => ({ ...RETRY, inputs: ['n'], steps: list })

const breaks = (run: EndedRun, path: string): boolean => behaviourOf('fragile', run.keyOf(path)).breaks

/** Whether a run ended so, with exactly these tasks completed. */
function expectEnd(run: EndedRun, status: string, completed: readonly string[]): string[] {
  const faults: string[] = []
  if (run.status !== status) faults.push(`is ${run.status}, not ${status}`)
  const wanted = new Set(completed)
  for (const path of wanted) {
    const found = run.tasks.get(path)?.status
    if (found !== 'completed') faults.push(`${path} is ${found ?? 'missing'}, not completed`)
  }
  for (const path of run.order) if (!wanted.has(path)) faults.push(`${path} was done and should not`)
  return faults
}

/** Which item an answer is of. */
function echoed(answer: unknown, name: string): unknown {
  if (typeof answer !== 'object' || answer === null || !('echo' in answer)) return undefined
  const { echo } = answer
  if (typeof echo !== 'object' || echo === null) return undefined
  return Object.entries(echo).find(([key]) => key === name)?.[1]
}

function expectList(results: unknown, length: number): string[] {
  if (!Array.isArray(results) || results.length !== length) return [`results are not ${length}`]
  return results.flatMap((result, index) =>
    echoed(result, 'item') === index ? [] : [`result ${index} is of item ${String(echoed(result, 'item'))}`],
  )
}

const items = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const itemPaths = (count: number): string[] => items(count).map((index) => `each[${index}]/work`)

function mapOf(count: number, more: object): Shape {
  return {
    document: {
      ...RETRY,
      inputs: ['items'],
      steps: [
        {
          name: 'each',
          type: 'map',
          over: 'items',
          as: 'item',
          output: 'results',
          steps: [step('work', { input: 'item', output: 'worked' })],
          ...more,
        },
        step('last', { input: 'results' }),
      ],
    },
    input: () => ({ items: items(count) }),
    faultsOf: (run) => [
      ...expectEnd(run, 'completed', ['each', ...itemPaths(count), 'last']),
      ...expectList(run.outputs['results'], count),
    ],
  }
}

const byNumber = (n: number): Record<string, unknown> => ({ n })
/** Whether the person says yes, known before they are asked. */
export const isApproved = (runId: string): boolean => Number.parseInt(runId.slice(-2), 16) % 2 === 0

/** Every shape of run the chaos plays with. */
export const SHAPES = {
  sequence: {
    document: steps(
      step('first', { input: 'n', output: 'one' }),
      step('second', { input: 'one', output: 'two' }),
      step('third', { input: 'two', output: 'three' }),
      step('fourth', { input: 'three' }),
    ),
    input: byNumber,
    faultsOf: (run) => expectEnd(run, 'completed', ['first', 'second', 'third', 'fourth']),
  },
  condition: {
    document: steps(
      step('judge', { input: 'n', output: 'verdict' }),
      {
        name: 'choose',
        type: 'condition',
        condition: 'verdict.grade > 4',
        if_true: 'good',
        if_false: 'poor',
      },
      step('good', { next: 'close' }),
      step('poor'),
      step('close'),
    ),
    input: byNumber,
    faultsOf: (run) => {
      const good = behaviourOf('steady', run.keyOf('judge')).grade > 4
      return expectEnd(run, 'completed', ['judge', good ? 'good' : 'poor', 'close'])
    },
  },
  parallel: {
    document: steps(
      {
        name: 'both',
        type: 'parallel',
        branches: {
          left: [step('a', { output: 'one' })],
          middle: [step('b'), step('c', { output: 'two' })],
          right: [step('d', { output: 'three' })],
        },
      },
      step('last', { input: ['one', 'two', 'three'] }),
    ),
    input: byNumber,
    faultsOf: (run) =>
      expectEnd(run, 'completed', [
        'both',
        'both[left]/a',
        'both[middle]/b',
        'both[middle]/c',
        'both[right]/d',
        'last',
      ]),
  },
  map: mapOf(6, {}),
  bounded: mapOf(9, { concurrency: 3 }),
  loop: {
    document: {
      ...RETRY,
      inputs: ['turns'],
      steps: [
        {
          name: 'again',
          type: 'loop',
          until: 'draft.echo.turn + 1 >= turns',
          max_turns: 10,
          index_as: 'turn',
          steps: [step('write', { input: ['turn'], output: 'draft' })],
        },
        step('last', { input: 'draft' }),
      ],
    },
    input: (n) => ({ turns: 1 + (n % 4) }),
    faultsOf: (run) =>
      expectEnd(run, 'completed', [...items(1 + (run.n % 4)).map((turn) => `again[${turn}]/write`), 'last']),
  },
  race: {
    document: steps(
      {
        name: 'race',
        type: 'parallel',
        join: 'any',
        output: 'winner',
        branches: { fast: [step('quick')], slow: [step('lazy', {}, 'slow')] },
      },
      step('last', { input: 'winner' }),
    ),
    input: byNumber,
    faultsOf: (run) => {
      const done = run.order.filter((path) => path.startsWith('race['))
      return [
        ...expectEnd(run, 'completed', ['race', 'last', ...done]),
        ...(done.length === 0 ? ['nobody won'] : []),
      ]
    },
  },
  retries: {
    document: steps(step('hard', { input: 'n', output: 'one' }, 'troubled'), step('last', { input: 'one' })),
    input: byNumber,
    faultsOf: (run) => {
      const tries = run.tasks.get('hard')?.attempt ?? 0
      return [
        ...expectEnd(run, 'completed', ['hard', 'last']),
        ...(tries <= TROUBLES ? [`"hard" was tried ${tries} times`] : []),
      ]
    },
  },
  fallback: {
    document: steps(
      step('risky', { input: 'n', next: 'close', fallback_action: 'mend' }, 'fragile'),
      step('mend'),
      step('close'),
    ),
    input: byNumber,
    faultsOf: (run) => expectEnd(run, 'completed', [breaks(run, 'risky') ? 'mend' : 'risky', 'close']),
  },
  wait: {
    document: steps(
      { name: 'rest', type: 'wait', for: '300ms' },
      step('first'),
      { name: 'pause', type: 'wait', for: '1200ms' },
      step('last'),
    ),
    input: byNumber,
    faultsOf: (run) => expectEnd(run, 'completed', ['rest', 'first', 'pause', 'last']),
  },
  signal: {
    document: steps(
      step('first'),
      { name: 'hold', type: 'wait', signal: SIGNAL, output: 'word' },
      step('last', { input: 'word' }),
    ),
    input: byNumber,
    faultsOf: (run) => [
      ...expectEnd(run, 'completed', ['first', 'hold', 'last']),
      ...(JSON.stringify(run.outputs['word']) === JSON.stringify({ n: run.n })
        ? []
        : ['the signal is not its own']),
    ],
  },
  subworkflow: {
    document: steps(
      { name: 'child', type: 'workflow', workflow: CHILD, input: ['n'], output: 'made' },
      step('last', { input: 'made' }),
    ),
    input: byNumber,
    faultsOf: (run) => expectEnd(run, 'completed', ['child', 'last']),
  },
  review: {
    document: steps(
      step('draft', { input: 'n', output: 'text' }),
      {
        name: 'ask',
        type: 'review',
        question: 'Publish?',
        input: 'text',
        if_approved: 'publish',
        if_rejected: 'withdraw',
      },
      step('publish', { next: 'end' }),
      step('withdraw'),
    ),
    input: byNumber,
    faultsOf: (run) =>
      expectEnd(run, 'completed', ['draft', 'ask', isApproved(run.id) ? 'publish' : 'withdraw']),
  },
  compensation: {
    document: steps(
      step('book', { input: 'n', output: 'booking', compensate: 'steady' }),
      step('pay', { input: 'booking', output: 'payment', compensate: 'steady' }),
      step('ship', { input: 'payment' }, 'fragile'),
    ),
    input: byNumber,
    faultsOf: (run) => {
      if (!breaks(run, 'ship')) return expectEnd(run, 'completed', ['book', 'pay', 'ship'])
      const undone = run.order.filter((path) => path.endsWith('~undo')).join(', ')
      return [
        ...expectEnd(run, 'failed', ['book', 'pay', 'pay~undo', 'book~undo']),
        ...(undone === 'pay~undo, book~undo' ? [] : [`undone: ${undone}`]),
      ]
    },
  },
  nested: {
    document: {
      ...RETRY,
      inputs: ['items'],
      steps: [
        {
          name: 'each',
          type: 'map',
          over: 'items',
          as: 'item',
          concurrency: 2,
          steps: [
            {
              name: 'both',
              type: 'parallel',
              branches: { left: [step('a', { input: 'item' })], right: [step('b', { input: 'item' })] },
            },
            step('join', { input: 'item' }),
          ],
        },
        step('last'),
      ],
    },
    input: () => ({ items: items(3) }),
    faultsOf: (run) =>
      expectEnd(run, 'completed', [
        'each',
        ...items(3).flatMap((index) => {
          const item = `each[${index}]`
          return [`${item}/both`, `${item}/both[left]/a`, `${item}/both[right]/b`, `${item}/join`]
        }),
        'last',
      ]),
  },
} as const satisfies Record<string, Shape>

export type ShapeName = keyof typeof SHAPES

/** The workflow of a shape. */
export const workflowNameOf = (shape: ShapeName): string => `chaos-${shape}`

/** All definitions to apply, the one that others run first. */
export function documents(): object[] {
  const format = 'tutti/1'
  const child = {
    format,
    name: CHILD,
    ...steps(step('begin', { input: 'n', output: 'begun' }), step('end_it', { input: 'begun' })),
  }
  const shapes = Object.entries(SHAPES).map(([name, { document }]) => ({
    format,
    name: `chaos-${name}`,
    ...document,
  }))
  return [child, ...shapes]
}
