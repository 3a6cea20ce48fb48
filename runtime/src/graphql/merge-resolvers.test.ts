import { describe, expect, test } from 'vitest'
import { mergeResolvers } from './merge-resolvers.ts'

const runs = () => 'runs'
const tasks = () => 'tasks'

describe('mergeResolvers', () => {
  test('joins the fields that features give to one type', () => {
    expect(mergeResolvers({ Query: { runs } }, { Query: { tasks }, Task: { tasks } })).toEqual({
      Query: { runs, tasks },
      Task: { tasks },
    })
  })

  test('refuses two features that resolve the same field', () => {
    expect(() => mergeResolvers({ Query: { runs } }, { Query: { runs: tasks } })).toThrow('Query.runs')
  })
})
