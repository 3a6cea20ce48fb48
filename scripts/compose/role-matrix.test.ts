import { buildSchema } from 'graphql'
import { expect, test } from 'vitest'
import { roleMatrix } from './role-matrix.ts'

const DIRECTIVES = `
  directive @authenticated on FIELD_DEFINITION | OBJECT
  directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT
  directive @tag(name: String!) repeatable on FIELD_DEFINITION
`
const matrixOf = (sdl: string) => roleMatrix(buildSchema(`${DIRECTIVES} ${sdl}`))

test('says of each operation what it needs, its type counted in, and who has that', () => {
  const { markdown, withoutRule, withoutAction } = matrixOf(`
    type Query { me: String @authenticated, secret: Secret @requiresScopes(scopes: [["runs:read"]]) }
    type Secret @requiresScopes(scopes: [["access:manage"]]) { value: String }
    type Mutation {
      startRun: String @requiresScopes(scopes: [["runs:start"], ["access:manage"]]) @tag(name: "bounded")
      answer: String @requiresScopes(scopes: [["messages:receive"]])
      unheard: String @requiresScopes(scopes: [["messages:receive"], ["runs:start"]])
    }
  `)
  expect(withoutRule).toEqual([])
  expect(markdown.split('\n').filter((line) => line.startsWith('| `'))).toEqual([
    '| `me` | a credential | ✓ | ✓ | ✓ | ✓ | ✓ |',
    '| `secret` | `runs:read`, `access:manage` | ✓ |  |  |  |  |',
    '| `answer` | `messages:receive` |  | ✓ | ✓ |  |  | ✓ |',
    '| `startRun` | `runs:start` or `access:manage` (or there) | `run.start` | ✓ | ✓ |  |  |  |',
    '| `unheard` | `messages:receive` or `runs:start` |  | ✓ | ✓ |  |  | ✓ |',
  ])
  expect(markdown).toMatch(/^- .+ `answer`$/m)
  // Each of the scopes that suffice has to say why nobody is asked.
  expect(withoutAction).toEqual(['unheard'])
})

test('an operation without a rule is named', () => {
  expect(
    matrixOf('type Query { a: Int, b: Int @authenticated } type Mutation { c: Int }').withoutRule,
  ).toEqual(['Query.a', 'Mutation.c'])
})
