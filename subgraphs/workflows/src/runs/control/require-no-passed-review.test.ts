import { expect, test } from 'vitest'
import { readDefinition, type WorkflowDefinition } from '../../definitions/index.ts'
import { passedReview } from './require-no-passed-review.ts'

function definition(...steps: string[]): WorkflowDefinition {
  const lines = steps.map((step) => `  - {${step}}`).join('\n')
  const read = readDefinition(`format: tutti/1\nname: flow\ninputs: [sum, card]\nsteps:\n${lines}`)
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.definition
}

const task = (stepPath: string, outcome = 'approve') => ({
  stepPath,
  nodeId: stepPath.replace(/^.*\//, ''),
  status: 'completed' as const,
  output: { outcome },
})

const SIGN = 'name: sign, question: "Pay it?", input: sum, if_rejected: end'
const PAY = 'name: pay, agent: a, input: [sum, card]'

interface Case {
  steps: string[]
  /** Those of the version that the fork takes. */
  to?: string[]
  tasks: ReturnType<typeof task>[]
  step?: string
  changed?: string[]
  /** Where it is to fork from; undefined: it may begin where it is asked to. */
  from: string | null | undefined
}

test.each<[string, Case]>([
  ['a review was about it', { steps: [SIGN, PAY], tasks: [task('sign')], from: 'sign' }],
  [
    'a review was about something else',
    { steps: [SIGN, PAY], tasks: [task('sign')], changed: ['card'], from: undefined },
  ],
  ['nothing is other', { steps: [SIGN, PAY], tasks: [task('sign')], changed: [], from: undefined }],
  [
    'it begins with the review, or before',
    {
      steps: [PAY.replace('pay', 'first'), SIGN, PAY],
      tasks: [task('first')],
      step: 'sign',
      from: undefined,
    },
  ],
  [
    'what was reviewed was made of something',
    {
      steps: [
        'name: write, agent: a, input: card, output: draft',
        SIGN.replace('input: sum', 'input: draft'),
        PAY,
      ],
      tasks: [task('write'), task('sign')],
      from: 'sign',
    },
  ],
  [
    'a name of the payload was written over',
    {
      steps: ['name: more, agent: a, input: card, output: sum', SIGN, PAY],
      tasks: [task('more'), task('sign')],
      changed: ['card'],
      from: 'sign',
    },
  ],
  [
    'a review showed nothing',
    {
      steps: [SIGN.replace('input: sum, ', ''), PAY],
      tasks: [task('sign')],
      changed: ['card'],
      from: 'sign',
    },
  ],
  [
    'somebody said no, and the step is what comes of it',
    {
      steps: [SIGN.replace('if_rejected: end', 'if_approved: end, if_rejected: pay'), PAY],
      tasks: [task('sign', 'reject')],
      from: undefined,
    },
  ],
  [
    'the run went by a way without the review, which it takes for small ones',
    {
      steps: [
        'name: look, agent: a, input: sum',
        'name: way, condition: "sum > 100.0", if_true: sign, if_false: pay',
        SIGN,
        PAY,
      ],
      tasks: [task('look')],
      from: 'look',
    },
  ],
  [
    'nothing was before it',
    {
      steps: ['name: way, condition: "sum > 100.0", if_true: sign, if_false: pay', SIGN, PAY],
      tasks: [],
      from: null,
    },
  ],
  [
    'the reviews are in branches',
    {
      steps: [`name: both, branches: {left: [{${SIGN}}], right: [{${PAY.replace('pay', 'look')}}]}`, PAY],
      tasks: [task('both')],
      from: 'both',
    },
  ],
  [
    'a workflow that it waits for holds one',
    {
      steps: ['name: below, workflow: signed, input: {sum: sum}', PAY],
      tasks: [task('below')],
      from: 'below',
    },
  ],
  [
    'one turn of a loop was approved and begins the next',
    {
      steps: [`name: again, max_turns: 3, steps: [{${PAY}}, {${SIGN}}]`],
      tasks: [task('again[0]/pay'), task('again[0]/sign')],
      from: 'again[0]/sign',
    },
  ],
  [
    'one turn of a loop was turned down and begins the next',
    {
      steps: [`name: again, max_turns: 3, steps: [{${PAY}}, {${SIGN}}]`],
      tasks: [task('again[0]/pay'), task('again[0]/sign', 'reject')],
      from: undefined,
    },
  ],
  [
    'the version that it takes asks where the other did not',
    {
      steps: ['name: look, agent: a, input: sum', PAY],
      to: ['name: look, agent: a, input: sum', SIGN, PAY],
      tasks: [task('look')],
      changed: [],
      from: 'look',
    },
  ],
  [
    'the version that it takes asks others',
    {
      steps: [SIGN, PAY],
      to: [`${SIGN}, role: finance`, PAY],
      tasks: [task('sign')],
      changed: [],
      from: 'sign',
    },
  ],
])('a fork where %s', (_, { steps, to, tasks, step = 'pay', changed = ['sum'], from }) => {
  const own = definition(...steps)
  const passed = passedReview(
    { from: own, to: to ? definition(...to) : own, step, tasks, changed: new Set(changed) },
    ({ kind }) => kind === 'review' || kind === 'workflow',
  )
  expect(passed?.stepPath).toBe(from)
})
