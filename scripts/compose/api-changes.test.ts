import { buildSchema } from 'graphql'
import { expect, test } from 'vitest'

import { apiChanges } from './api-changes.ts'

const before = `
  type Query { run(id: ID!): Run  runs(state: State): [Run!]! }
  type Run { id: ID!  name: String }
  enum State { RUNNING }
`

test('a removed field is breaking', () => {
  const changes = apiChanges(before, buildSchema(before.replace('name: String', '')), '')
  expect(changes.unmarked).toEqual(['Run.name was removed.'])
})

test('a breaking change that is marked as meant is told and not refused', () => {
  const marks = '# Breaking changes\n\nNames moved to labels:\n\n- Run.name was removed.\n'
  const changes = apiChanges(before, buildSchema(before.replace('name: String', '')), marks)
  expect(changes).toEqual({ unmarked: [], marked: ['Run.name was removed.'], dangerous: [] })
})

test('a mark for another change excuses nothing', () => {
  const changes = apiChanges(
    before,
    buildSchema(before.replace('name: String', '')),
    '- Run.names was removed.',
  )
  expect(changes.unmarked).toEqual(['Run.name was removed.'])
})

test('a new required argument is breaking, a new enum value dangerous, a new field neither', () => {
  const after = before
    .replace('run(id: ID!)', 'run(id: ID!, tenant: ID!)')
    .replace('{ RUNNING }', '{ RUNNING DONE }')
    .replace('name: String', 'name: String  label: String')
  const changes = apiChanges(before, buildSchema(after), '')
  expect(changes.unmarked).toEqual(['A required arg tenant on Query.run was added.'])
  expect(changes.dangerous).toEqual(['DONE was added to enum type State.'])
})
