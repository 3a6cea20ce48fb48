import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  isRunOver,
  RUN_STATUSES,
  RUN_TRANSITIONS,
  runStatusAfter,
  STEP_ERRORS,
  TASK_STATUSES,
  TASK_TRANSITIONS,
} from './index.ts'

const picture = readFileSync(new URL('../../../../../docs/state-machines.md', import.meta.url), 'utf8')

/** The arrows of one mermaid picture, `from to`, without those from and to the black dots. */
function arrows(heading: string): string[] {
  const [, section = ''] = picture.split(`## ${heading}\n`)
  const [drawing = ''] = section.split('\n## ')
  return [...drawing.matchAll(/^\s*(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} ${to}`).toSorted()
}

const allowed = (transitions: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(transitions)
    .flatMap(([from, targets]) => targets.map((to) => `${from} ${to}`))
    .toSorted()

describe('the picture in the docs', () => {
  it('shows the transitions of a run, no more and no fewer', () => {
    expect(arrows('A run')).toEqual(allowed(RUN_TRANSITIONS))
  })
  it('shows the transitions of a task, no more and no fewer', () => {
    expect(arrows('A task')).toEqual(allowed(TASK_TRANSITIONS))
  })
})

it('every failure that the engine finds is in the docs, in the same words, and no other', () => {
  const [, section = ''] = picture.split('## Failures\n')
  const rows = [...section.matchAll(/^\| `([A-Z_]+)` \| (.*) \|$/gm)].map(([, code, means]) => [code, means])
  expect(Object.fromEntries(rows)).toEqual(STEP_ERRORS)
})

describe('every status that is not the last', () => {
  it.each(RUN_STATUSES.filter((status) => !isRunOver(status)))(
    'of a run (%s) can fail and be cancelled',
    (status) => {
      expect(RUN_TRANSITIONS[status]).toEqual(expect.arrayContaining(['failed', 'cancelled']))
    },
  )
  it.each(TASK_STATUSES.filter((status) => TASK_TRANSITIONS[status].length > 0))(
    'of a task (%s) can fail and be cancelled',
    (status) => {
      expect(TASK_TRANSITIONS[status]).toEqual(expect.arrayContaining(['failed', 'cancelled']))
    },
  )
})

describe("a run's status", () => {
  const review = {
    type: 'create_task',
    node: 'a',
    path: 'a',
    status: 'waiting',
    input: {},
    attempt: 1,
    kind: 'review',
    role: 'r',
    question: 'q',
  } as const
  it('is waiting while only a person can go on, and running again after', () => {
    expect(runStatusAfter('running', [review])).toBe('waiting')
    expect(
      runStatusAfter('waiting', [
        { ...review, kind: 'agent', status: 'ready', agent: 'a', timeoutMs: 1, maxAttempts: 1 },
      ]),
    ).toBe('running')
  })
  it('stays paused whatever is created, but ends', () => {
    expect(runStatusAfter('paused', [review])).toBe('paused')
    expect(runStatusAfter('paused', [{ type: 'cancel_run' }])).toBe('cancelled')
  })
  it('does not change after the end', () => {
    expect(runStatusAfter('completed', [{ type: 'cancel_run' }])).toBe('completed')
  })
})
