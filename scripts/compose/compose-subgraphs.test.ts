import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, expect, test } from 'vitest'

import { composeSubgraphs } from './compose-subgraphs.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

test('two subgraphs become one supergraph, with the security directives kept', () => {
  const { supergraph, api } = composeSubgraphs(
    subgraphs({
      agents:
        'type Query { agent: Agent @authenticated } type Agent @key(fields: "id") { id: ID! name: String }',
      workflows: 'type Agent @key(fields: "id") { id: ID! tasks: [String!]! }',
    }),
  )
  expect(supergraph).toContain('@join__graph(name: "agents", url: "http://agents/graphql")')
  expect(supergraph).toContain('@authenticated')
  expect(api).toMatch(/type Agent \{\s+id: ID!\s+name: String\s+tasks: \[String!\]!\s+\}/)
})

test('the same subgraphs always give the same text', () => {
  const sdl = { agents: 'type Query { b: Int a: Int }', workflows: 'type Query { c: Int }' }
  expect(composeSubgraphs(subgraphs(sdl)).supergraph).toBe(composeSubgraphs(subgraphs(sdl)).supergraph)
})

test('a type that two subgraphs define differently is refused, and the message names it', () => {
  const directory = subgraphs({
    agents: 'type Query { a: Thing } type Thing { name: String }',
    workflows: 'type Query { b: Thing } type Thing { name: Int }',
  })
  expect(() => composeSubgraphs(directory)).toThrow(/Thing\.name/)
})

test('an SDL that cannot be parsed is refused with the name of its subgraph', () => {
  expect(() => composeSubgraphs(subgraphs({ agents: 'type {' }))).toThrow(/SDL of subgraph agents/)
})

function subgraphs(sdlByName: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'compose-'))
  directories.push(directory)
  for (const [name, sdl] of Object.entries(sdlByName)) {
    mkdirSync(join(directory, name, 'src/feature'), { recursive: true })
    writeFileSync(join(directory, name, 'src/feature/a.graphql'), sdl)
  }
  return directory
}
