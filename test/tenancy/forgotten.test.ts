import { governance } from '@tutti/governance'
import { requestApproval, settleDueApprovals } from '@tutti/governance/domain'
import { testActor } from '@tutti/prisma/testing'
import { type Actor, ROLES, systemActor } from '@tutti/schema'
import { workflows } from '@tutti/workflows'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
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

const pageSchema = z.object({
  data: z.object({
    auditEntries: z.object({
      nodes: z.array(z.object({ summary: z.string(), details: z.unknown() })),
      pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    }),
  }),
})

/** Every entry of the audit trail as the API shows it. */
async function trail(actor: Actor): Promise<string> {
  const query = `query($after: String) {
    auditEntries(first: 100, after: $after) { nodes { summary details } pageInfo { hasNextPage endCursor } } }`
  let read = ''
  for (let after: string | null = null; ;) {
    const page = pageSchema.parse(await ask(governance, actor, query, { after }))
    const { nodes, pageInfo } = page.data.auditEntries
    read += JSON.stringify(nodes)
    if (!pageInfo.hasNextPage) return read
    after = pageInfo.endCursor
  }
}

test('the names of people who did everything that there is to do are nowhere once they are forgotten', async () => {
  const keeper = testActor('admin', org.id)
  const { database } = world.data
  const expired = await requestApproval({ database }, org.actor('operator'), {
    requestKey: 'k',
    title: 't',
    action: 'a',
    arguments: {},
    reason: 'r',
    stages: [{ roles: ['approver'], deadlineSeconds: 3_600 }],
  })
  await world.asOwner('update approval set expires_at = now() where id = $1', [expired.id])
  await settleDueApprovals(world.data, systemActor(org.id, 'worker'), [expired.id])

  const people = await world.asOwner<{ id: string; name: string }>(
    `select id, name from principal where organization_id = $1 and kind = 'person' order by id`,
    [org.id],
  )
  expect(people.length).toBeGreaterThanOrEqual(ROLES.length - 1)
  const names = people.map(({ name }) => name)
  const whoStarted = (name: string) =>
    expect.objectContaining({ data: { run: { history: { nodes: [{ actor: { name } }] } } } })
  const firstEvent = 'query($id: ID!) { run(id: $id) { history(first: 1) { nodes { actor { name } } } } }'
  expect((await whereabouts(names)).length).toBeGreaterThan(20)
  expect(await ask(workflows, keeper, firstEvent, { id: run })).toEqual(whoStarted(org.actor('admin').name))

  // Somebody has to be left who may.
  const create = 'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }'
  await ask(governance, keeper, create, { input: { principalName: 'somebody', roles: ['admin'] } })
  const erase = 'mutation($input: EraseSubjectInput!) { eraseSubject(input: $input) { erasure { subject } } }'
  for (const { id } of people) {
    const input = { subject: `person/${id}`, reason: 'They asked.' }
    expect(await ask(governance, keeper, erase, { input })).toMatchObject({
      data: { eraseSubject: { erasure: { subject: input.subject } } },
    })
  }
  expect(await whereabouts(names)).toEqual([])
  const entries = await trail(keeper)
  expect(names.filter((name) => entries.includes(name))).toEqual([])
  expect(await ask(workflows, keeper, firstEvent, { id: run })).toEqual(whoStarted('erased'))
})
