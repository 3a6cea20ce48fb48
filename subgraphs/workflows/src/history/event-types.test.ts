import { TuttiError } from '@tutti/schema'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventTypes, selectTypes } from './event-types.ts'

const known = eventTypes('run.', 'task.')

test('a pattern stands for the types it fits', () => {
  expect(selectTypes(known, ['*.failed'], 'types').sort()).toEqual(['run.failed', 'task.failed'])
  expect(selectTypes(known, ['task.*'], 'types')).toEqual(eventTypes('task.'))
  expect(selectTypes(known, ['*'], 'types')).toEqual(known)
  expect(selectTypes(known, ['t*k.re*dy'], 'types')).toEqual(['task.ready'])
  expect(selectTypes(known, ['run.failed', 'run.*'], 'types')).toEqual(eventTypes('run.'))
  expect(selectTypes(known, null, 'types')).toEqual(known)
  expect(selectTypes(known, [], 'types')).toEqual([])
})

test('what fits nothing is refused, all at once, each with its place', () => {
  const refusal = catching(() => selectTypes(known, ['run.faild', 'run.*', 'audit.*'], 'filter.types'))
  expect(refusal).toMatchObject({
    code: 'BAD_INPUT',
    path: 'filter.types[0]',
    problems: [
      { path: 'filter.types[0]', hint: 'Did you mean run.failed?' },
      { path: 'filter.types[2]', hint: expect.stringContaining('run.started') },
    ],
  })
})

test('a pattern fits exactly what a regular expression of it would fit', () => {
  const pattern = fc
    .array(fc.constantFrom('*', '**', 'task', 'run', '.', 'r', 'ready', 'failed', 'e', 'y'), { maxLength: 6 })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(pattern, (text) => {
      const source = text.replaceAll('.', String.raw`\.`).replaceAll(/\*+/g, '.*')
      const expected = known.filter((type) => new RegExp(`^${source}$`).test(type))
      const refused = expected.length === 0
      const answer = catching(() => selectTypes(known, [text], 'types'))
      if (refused) expect(answer).toBeInstanceOf(TuttiError)
      else expect(answer).toEqual(expected)
    }),
  )
})

function catching(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}
