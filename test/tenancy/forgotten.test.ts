import { governance } from '@tutti/governance'
import { testActor } from '@tutti/prisma/testing'
import { type Actor, type Role, ROLES } from '@tutti/schema'
import { workflows } from '@tutti/workflows'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { makeEverything, mark } from './possessions.ts'

let world: World
let org: Organization
let run: string

beforeAll(async () => {
  world = await startWorld()
  org = await world.organization(mark('organization'))
  run = (await makeEverything(world, org)).ids.run
})
afterAll(() => world[Symbol.asyncDispose]())

/** Around the gateway: the keys of whoever is forgotten open nothing. */
async function ask(of: { name: string }, actor: Actor, query: string, variables: object): Promise<unknown> {
  const subgraph = world.subgraphs.find(({ name }) => name === of.name)
  return subgraph?.execute({ query, variables: { ...variables }, actor })
}

const people: readonly Role[] = ROLES.filter((role) => role !== 'agent')

/** Everywhere that any of these texts stands, as `table.column`, with the text: in all tables, partitions and schemas. */
async function whereabouts(texts: readonly string[]): Promise<string[]> {
  const owner = new pg.Client({ connectionString: world.databaseUrl })
  await owner.connect()
  try {
    const { rows: tables } = await owner.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`,
    )
    const found = new Set<string>()
    for (const { name } of tables) {
      const { rows } = await owner.query<{ column: string; value: string }>(
        `select e.key as column, e.value from ${name} t, jsonb_each_text(to_jsonb(t)) e
         where exists (select from unnest($1::text[]) x where strpos(e.value, x) > 0)`,
        [texts],
      )
      for (const { column, value } of rows)
        for (const text of texts) if (value.includes(text)) found.add(`${name}.${column}: ${text}`)
    }
    return [...found].sort()
  } finally {
    await owner.end()
  }
}

test('the names of people who did everything that there is to do are nowhere once they are forgotten', async () => {
  const names = people.map((role) => org.actor(role).name)
  const keeper = testActor('admin', org.id)
  const whoStarted = (name: string) =>
    expect.objectContaining({ data: { run: { history: { nodes: [{ actor: { name } }] } } } })
  const history = () =>
    ask(
      workflows,
      keeper,
      'query($id: ID!) { run(id: $id) { history(first: 1) { nodes { actor { name } } } } }',
      { id: run },
    )
  expect((await whereabouts(names)).length).toBeGreaterThan(20)
  expect(await history()).toEqual(whoStarted(org.actor('admin').name))

  // Somebody has to be left who may.
  const create = 'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }'
  await ask(governance, keeper, create, { input: { principalName: 'somebody', roles: ['admin'] } })
  const erase = 'mutation($input: EraseSubjectInput!) { eraseSubject(input: $input) { erasure { subject } } }'
  for (const role of people) {
    const subject = `person/${org.actor(role).id}`
    expect(await ask(governance, keeper, erase, { input: { subject, reason: 'They asked.' } })).toMatchObject(
      {
        data: { eraseSubject: { erasure: { subject } } },
      },
    )
  }
  expect(await whereabouts(names)).toEqual([])
  expect(await history()).toEqual(whoStarted('erased'))
})
