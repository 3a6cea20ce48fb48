import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ACTIONS, ERRORS, type GovernedAction, ROLES, SCOPES, scopesOf } from '@tutti/schema'
import { buildSchema, getOperationAST, type GraphQLSchema, parse, validate } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { codeBlocks, pages, root, tableRows } from './code-blocks.ts'

const schema: GraphQLSchema = buildSchema(readFileSync(join(root, 'schema/api.graphql'), 'utf8'))
const blocks = pages.flatMap(codeBlocks)
const written = blocks.filter((block) => block.language === 'graphql')
const tabs = globSync('gateway/src/graphiql/operations/*.graphql', { cwd: root }).map((page) => ({
  page,
  line: 1,
  language: 'graphql',
  code: readFileSync(join(root, page), 'utf8'),
}))
const named = (list: typeof blocks) => list.map((block) => [`${block.page}:${block.line}`, block] as const)

describe('GraphQL', () => {
  let world: World
  let org: Organization
  beforeAll(async () => {
    world = await startWorld()
    org = await world.organization()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  test('there is some to read, and the tabs are there', () => {
    expect(written.length).toBeGreaterThan(3)
    expect(tabs.length).toBeGreaterThan(3)
  })

  test.each(named([...written, ...tabs]))('%s is valid', (_name, { code }) => {
    expect(validate(schema, parse(code))).toEqual([])
  })

  const whole = [...written, ...tabs].filter(({ code }) => {
    const operation = getOperationAST(parse(code))
    return (
      operation !== null &&
      operation !== undefined &&
      operation.operation !== 'subscription' &&
      !operation.variableDefinitions?.some((variable) => variable.type.kind === 'NonNullType')
    )
  })
  test.each(named(whole))('%s can be run as it stands', async (_name, { code }) => {
    const { body } = await org.as('admin').send(code)
    expect(body.errors).toBeUndefined()
    expect(body.data).toBeTypeOf('object')
  })

  const feeds = [...written, ...tabs].filter(
    ({ code }) => getOperationAST(parse(code))?.operation === 'subscription',
  )
  test.each(named(feeds))('%s is a feed that begins', async (_name, { code }) => {
    const feed = org.as('admin').subscribe(code, { after: 'not-a-cursor' })
    // The gateway plans and opens it: what is wrong is the cursor, and nothing else.
    const first = await feed.next().catch((error: unknown) => error)
    expect(JSON.stringify(first)).toContain('CURSOR_INVALID')
  })
})

test('every npm script that a shell block names exists', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  )
  const shell = blocks.filter((block) => block.language === 'sh').map((block) => block.code)
  const commands = shell.flatMap((code) => [...code.matchAll(/npm (?:run ([\w:-]+)|(start|test)\b)/g)])
  expect(commands.length).toBeGreaterThan(2)
  for (const [, script, short] of commands) expect(scripts).toHaveProperty([script ?? short ?? ''])
})

test('npx runs packages of ours by their names, as it does for a stranger', () => {
  // A name of something else would have npx ask the registry for somebody's package.
  const packages = globSync('packages/*/package.json', { cwd: root }).map(
    (path): { name: string; bin?: Record<string, string> } =>
      JSON.parse(readFileSync(join(root, path), 'utf8')),
  )
  const commands = blocks.flatMap(({ code }) => [...code.matchAll(/\bnpx (?:-\S+ )*([\w@/-]+)/g)])
  expect(commands.length).toBeGreaterThan(1)
  for (const [, name = ''] of commands) {
    const bin = packages.find((each) => each.name === name)?.bin
    expect(Object.keys(bin ?? {}), name).toEqual([name])
  }
})

test('every folder of an example that a shell block names exists', () => {
  const shell = blocks.filter((block) => block.language === 'sh').map((block) => block.code)
  const examples = shell.flatMap((code) => [...code.matchAll(/npm run example -- ([\w-]+)/g)])
  const known = globSync('examples/*/run.ts', { cwd: root }).map((path) => path.split('/')[1])
  for (const [, example] of examples) expect(known).toContain(example)
})

test('the table of errors is the table of errors', () => {
  const rows = Object.entries(ERRORS).map(([code, kind]) => [
    `\`${code}\``,
    String(kind.status),
    kind.message,
    kind.mender,
    kind.retryable ? 'yes' : 'no',
  ])
  expect(tableRows('docs/errors.md', 'code')).toEqual(rows)
})

test('the table of what has to be said under governs is all that neither a mutation nor a tool raises', () => {
  const raised = tableRows('docs/authority.md', 'said by `governs`').flatMap(([first = '']) =>
    [...first.matchAll(/`([\w.]+)`/g)].map(([, action]) => action),
  )
  const unraised = Object.entries<GovernedAction>(ACTIONS).filter(
    ([name, { mutations = [] }]) => mutations.length === 0 && name !== 'tool.call',
  )
  expect(raised).toHaveLength(unraised.length)
  expect(new Set(raised)).toEqual(new Set(unraised.map(([name]) => name)))
})

test('the table of roles says what each may do', () => {
  const rows = SCOPES.map((scope) => [
    `\`${scope}\``,
    ...ROLES.map((role) => (scopesOf([role]).includes(scope) ? 'yes' : '–')),
  ])
  expect(tableRows('docs/api.md', 'scope')).toEqual(rows)
})
