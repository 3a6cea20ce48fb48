import { buildSchema } from 'graphql'
import { expect, test } from 'vitest'

import { missingDescriptions } from './missing-descriptions.ts'

test('names every type, field, argument, input field and enum value without a description', () => {
  const schema = buildSchema(`
    type Query { run(id: ID!, filter: Filter): State }
    input Filter { state: State }
    enum State { RUNNING }
    scalar DateTime
    union Any = Query
    interface Node { id: ID! }
  `)
  expect(missingDescriptions(schema).sort()).toEqual([
    'Any',
    'DateTime',
    'Filter',
    'Filter.state',
    'Node',
    'Node.id',
    'Query.run',
    'Query.run(filter:)',
    'Query.run(id:)',
    'State',
    'State.RUNNING',
  ])
})

test('is satisfied when all of them have one; the root types need none', () => {
  const schema = buildSchema(`
    type Query {
      "One run."
      run(
        "Which."
        id: ID!
      ): State
    }
    "Where it stands."
    enum State {
      "Going on."
      RUNNING
    }
  `)
  expect(missingDescriptions(schema)).toEqual([])
})

test('an empty description is none', () => {
  expect(missingDescriptions(buildSchema('type Query { " " a: Int }'))).toEqual(['Query.a'])
})
