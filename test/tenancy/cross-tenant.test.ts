import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { agents } from '@tutti/agents'
import { governance } from '@tutti/governance'
import { knowledge } from '@tutti/knowledge'
import { metrics } from '@tutti/metrics'
import { cursorOf } from '@tutti/schema'
import { workflows } from '@tutti/workflows'
import { buildSchema, type GraphQLSchema, isObjectType, isUnionType } from 'graphql'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Caller } from '../world/caller.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { ENTITIES, FEED_CURSORS, LEAVES, type Naming } from './arguments.ts'
import { readTables, type Table, WITHOUT_TENANT } from './catalog.ts'
import { argumentsOf, documentOf, doorsOf, placesOf, selectionOf } from './operations.ts'
import { sealRecords } from './seal-records.ts'
import { makeEverything, mark, type Possessions } from './possessions.ts'
import { cursorOfId, readRows, type Rows, secretsOf } from './rows-of.ts'

const API = readFileSync(fileURLToPath(import.meta.resolve('@tutti/schema/api.graphql')), 'utf8')
const api = buildSchema(API)
const places = doorsOf(api).flatMap(placesOf)
const subgraphs = [agents, workflows, governance, metrics, knowledge]

interface Entity {
  subgraph: string
  type: string
  schema: GraphQLSchema
}
const entities: Entity[] = subgraphs.flatMap(({ name, schema }) => {
  const union = schema.getType('_Entity')
  return isUnionType(union)
    ? union.getTypes().map((type) => ({ subgraph: name, type: type.name, schema }))
    : []
})

describe('every argument is classified', () => {
  test('each place of type ID, String or JSON', () => {
    expect(places.length).toBeGreaterThan(90)
    const known = new Set([...Object.keys(LEAVES), ...FEED_CURSORS])
    const coordinates = [...new Set(places.map(({ coordinate }) => coordinate))]
    expect(coordinates.filter((coordinate) => !known.has(coordinate))).toEqual([])
    expect([...known].filter((coordinate) => !coordinates.includes(coordinate))).toEqual([])
  })

  test('each ID is taken for one', () => {
    const ids = places.filter(({ door, path, coordinate }) => {
      const sdl = `${coordinate} ${path.join('.')} ${door.field.name}`
      return /\b(id|\w+Id)(:\)| |$)/.test(sdl)
    })
    expect(ids.length).toBeGreaterThan(30)
    const unnamed = ids
      .map(({ coordinate }) => coordinate)
      .filter((each) => LEAVES[each]?.namings.length === 0)
    // What a provider of identities calls us is no id of ours.
    expect(unnamed).toEqual(['SetIdentityProviderInput.clientId'])
  })

  test('each entity of each subgraph, by its only key', () => {
    expect(entities.length).toBeGreaterThan(17)
    expect([...new Set(entities.map(({ type }) => type))].sort()).toEqual(Object.keys(ENTITIES).sort())
    for (const { subgraph, type, schema } of entities) {
      const keys = (schema.getType(type)?.astNode?.directives ?? [])
        .filter(({ name }) => name.value === 'key')
        .map((key) => key.arguments?.find(({ name }) => name.value === 'fields')?.value)
      expect(keys, `${subgraph} ${type}`).toMatchObject([{ value: 'id' }])
    }
  })
})

/** Before and after every id. */
const FAR = ['00000000-0000-7000-8000-000000000000', 'ffffffff-ffff-7fff-bfff-ffffffffffff']

const LOCKS = [
  { locks: 'both locks', scoping: true, policies: true },
  { locks: 'row-level security alone', scoping: false, policies: true },
  { locks: 'the filters alone', scoping: true, policies: false },
]

describe.each(LOCKS)('with $locks', ({ scoping, policies }) => {
  let world: World
  let tables: Table[]
  let a: Possessions
  let b: Possessions

  beforeAll(async () => {
    world = await startWorld({ scoping })
    const owner = new pg.Client({ connectionString: world.databaseUrl })
    await owner.connect()
    tables = (await readTables(owner)).filter(({ name }) => !WITHOUT_TENANT.includes(name))
    if (!policies)
      for (const { name } of tables) await owner.query(`alter table ${name} disable row level security`)
    await owner.end()
    const [ofA, ofB] = [
      await world.organization(mark('organization')),
      await world.organization(mark('organization')),
    ]
    // Theirs lie among each other, so that a list of one's own goes by what is the other's.
    const [b1, a1, a2, b2] = [
      await makeEverything(world, ofB),
      await makeEverything(world, ofA),
      await makeEverything(world, ofA),
      await makeEverything(world, ofB),
    ]
    a = { org: ofA, ...a1, spare: a2 }
    b = { org: ofB, ...b1, spare: b2 }
    await sealRecords(world)
  })
  afterAll(() => world[Symbol.asyncDispose]())

  const rowsOfA = (): Promise<Rows> => readRows(world, tables, a.org.id)

  test('A has something in every table', async () => {
    const { counts, secrets } = await rowsOfA()
    expect(Object.entries(counts).filter(([, count]) => count === 0)).toEqual([])
    expect(secrets.size).toBeGreaterThan(100)
  })

  /** What B has said itself, of A's or of nobody's: it may hear that again. */
  const said = new Set<string>()
  /** Likewise hashes of what both have said: they are the same. */
  const hashesOfB = async (): Promise<string[]> =>
    [...(await readRows(world, tables, b.org.id)).secrets].filter((secret) => /^[0-9a-f]{64}$/.test(secret))
  const notSaid = (secrets: ReadonlySet<string>, hashes: readonly string[]): Set<string> =>
    new Set(secrets).difference(said).difference(new Set(hashes))

  /** B asks with what is A's, with what is nobody's and with nonsense; then A asks the same. */
  async function probe(
    naming: Naming,
    ask: (things: Possessions, value: string) => Promise<string>,
    from: Possessions = a,
  ): Promise<void> {
    const before = await rowsOfA()
    const [foreign, nobodys] = [naming.of(from), naming.nobodys(from)]
    const raw = {
      foreign: await ask(b, foreign),
      nobodys: await ask(b, nobodys),
      malformed: await ask(b, naming.malformed),
    }
    const after = await rowsOfA()
    expect(secretsIn(raw.foreign.replaceAll(foreign, ''), before.secrets)).toEqual([])
    expect(secretsIn(raw.nobodys, before.secrets)).toEqual([])
    expect(secretsIn(raw.malformed, before.secrets)).toEqual([])
    const [toB, toNobody] = [masked(raw.foreign, foreign, before), masked(raw.nobodys, nobodys, before)]
    expect(toB).toBe(toNobody)
    expect(after).toEqual(before)
    for (const answer of Object.values(raw)) expect(answer).not.toContain('INTERNAL')
    for (const secret of secretsOf(`${foreign} ${nobodys}`)) said.add(secret)
    if (naming.stored) return
    // Its owner sees a difference, or the probe does not bite.
    const elsewhere = naming.position ? FAR.map(cursorOfId) : [nobodys]
    const toA = masked(await ask(from, foreign), foreign, before)
    const toAElsewhere = []
    for (const other of elsewhere) toAElsewhere.push(masked(await ask(from, other), other, before))
    expect(toAElsewhere.filter((answer) => answer !== toA)).not.toEqual([])
  }

  const named = places.flatMap((place) =>
    (LEAVES[place.coordinate]?.namings ?? []).map((naming, index) => ({
      place,
      naming,
      again: places.findIndex(({ coordinate }) => coordinate === place.coordinate) !== places.indexOf(place),
      title: `${place.door.type}.${place.door.field.name} ${place.path.join('.')}${index > 0 ? ` (${index})` : ''}`,
    })),
  )
  const asked = named.filter(({ place }) => place.door.operation !== 'subscription')

  test.each(asked)('$title', async ({ place, naming, again }) => {
    const { door } = place
    const ask = async (things: Possessions, value: string): Promise<string> => {
      const given = argumentsOf(door, LEAVES, things, { place, naming, value })
      const host = door.host ? { hostId: things.ids[ENTITIES[door.type] ?? 'organization'] } : {}
      const answer = await things.org.as('admin').send(documentOf(door, given), { ...given, ...host })
      expect(answer.text).not.toContain('GRAPHQL_VALIDATION_FAILED')
      return answer.text
    }
    await probe(naming, ask, again && naming.spent ? { ...a, ...a.spare } : a)
  })

  test.each(entities)('$subgraph resolves no foreign $type', async ({ subgraph, type, schema }) => {
    const running = world.subgraphs.find(({ name }) => name === subgraph)
    const definition = schema.getType(type)
    if (!running || !isObjectType(definition)) throw new Error(`${subgraph} has no type ${type}.`)
    const query = `query($of: [_Any!]!) { _entities(representations: $of) { ... on ${type} { ${selectionOf(definition, 3)} } } }`
    const kind = ENTITIES[type] ?? 'organization'
    const naming: Naming = {
      of: ({ ids }) => ids[kind],
      nobodys: () => crypto.randomUUID(),
      malformed: 'not-an-id',
      // A subgraph that knows only the id says it back to everybody.
      ...(Object.keys(definition.getFields()).join() === 'id' ? { stored: true } : {}),
    }
    await probe(naming, async (things, id) => {
      const variables = { of: [{ __typename: type, id }] }
      const result = await running.execute({ query, variables, actor: things.org.actor('admin') })
      return JSON.stringify(result)
    })
  })

  describe('subscriptions', () => {
    const BEGINNING = '0'.repeat(13)
    const feeds = doorsOf(api).filter(({ operation }) => operation === 'subscription')
    const filtered = named.filter(({ place }) => place.door.operation === 'subscription')

    test('each has an event of its own to tell the end by', () => {
      expect(feeds.map(({ field }) => field.name).sort()).toEqual(Object.keys(EVENT_OF).sort())
    })

    test.each(feeds)('$field.name says nothing of another tenant', async (door) => {
      const { field } = door
      const document = documentOf(door, { after: BEGINNING })
      const end = EVENT_OF[field.name]
      const deliveries = b.org.as('admin').subscribe(document, { after: BEGINNING })
      await end?.(a)
      const last = await end?.(b)
      const seen: string[] = []
      for await (const delivery of deliveries) {
        seen.push(JSON.stringify(delivery))
        expect(delivery.errors).toBeUndefined()
        if (seen.at(-1)?.includes(last ?? '')) break
      }
      const { secrets } = await rowsOfA()
      expect(secretsIn(seen.join(), notSaid(secrets, await hashesOfB()))).toEqual([])
      const [first] = await take(a.org.as('admin'), document, { after: BEGINNING }, 1)
      expect(secretsIn(JSON.stringify(first), secrets).length).toBeGreaterThan(0)
    })

    test.each(feeds)('$field.name goes on from a foreign cursor as from any', async (door) => {
      const document = documentOf(door, { after: BEGINNING }, 1)
      const { field } = door
      const end = EVENT_OF[field.name]
      const ofA = await take(a.org.as('admin'), document, { after: BEGINNING }, 1)
      const cursor = String((ofA[0]?.data?.[field.name] as { cursor?: string } | undefined)?.cursor)
      const beside = (BigInt(Number.parseInt(cursor, 36)) + 1n).toString(36).padStart(13, '0')
      const last = await end?.(b)
      const answers: unknown[] = []
      for (const after of [cursor, beside]) {
        const seen: unknown[] = []
        const whole = documentOf(door, { after })
        for await (const delivery of b.org.as('admin').subscribe(whole, { after })) {
          seen.push(delivery)
          if (JSON.stringify(delivery).includes(last ?? '')) break
        }
        answers.push(seen)
      }
      expect(answers[0]).toEqual(answers[1])
      const { secrets } = await rowsOfA()
      expect(secretsIn(JSON.stringify(answers), notSaid(secrets, await hashesOfB()))).toEqual([])
    })

    test.each(filtered)('$title', async ({ place, naming }) => {
      const { door } = place
      const { field } = door
      const end = EVENT_OF[field.name]
      const all = documentOf(door, { after: BEGINNING })
      const ask = (things: Possessions, value: string) => {
        const given = { ...argumentsOf(door, LEAVES, things, { place, naming, value }), after: BEGINNING }
        return things.org.as('admin').subscribe(documentOf(door, given), given)
      }
      const heard: unknown[] = []
      const open = [naming.of(a), naming.nobodys(a), naming.malformed].map((value) => ask(b, value))
      const listening = open.map(async (deliveries) => {
        for await (const delivery of deliveries) heard.push(delivery)
      })
      await end?.(a)
      // Twice there and back through the same feed: what would have leaked has arrived.
      for (let round = 0; round < 2; round++) {
        const last = await end?.(b)
        for await (const delivery of b.org.as('admin').subscribe(all, { after: BEGINNING }))
          if (JSON.stringify(delivery).includes(last ?? '')) break
      }
      for (const deliveries of open) await deliveries.return?.()
      await Promise.all(listening)
      expect(heard).toEqual([])
      const own = ask(a, naming.of(a))
      const { value } = await own.next()
      await own.return?.()
      expect(JSON.stringify(value)).toContain(naming.shows?.(a) ?? naming.of(a))
    })

    /** Makes an event of a feed; answers with an id that its delivery bears. */
    const EVENT_OF: Record<string, (things: Possessions) => Promise<string>> = {
      runEvents: startRun,
      taskEvents: startRun,
      tasksAvailable: async ({ org, ids }) => {
        const [event] = await world.asOwner<{ seq: string }>(
          `insert into log.event (organization_id, type, subject, actor, data, run_id)
           values ($1, 'task.waiting', 'task/' || $2, '{"id": "t", "kind": "system", "name": "t"}', $3, $4) returning seq`,
          [
            org.id,
            ids.task,
            JSON.stringify({
              runId: ids.run,
              workflowId: ids.workflow,
              workflowName: 'w',
              taskId: ids.task,
              stepPath: 's',
              agentId: ids.agent,
              attempt: 1,
              approvalId: null,
              waitsFor: 'worker',
            }),
            ids.run,
          ],
        )
        // It tells of what comes together by one delivery: until then this one is there.
        const heard = org
          .as('admin')
          .subscribe('subscription($after: String) { tasksAvailable(after: $after) { cursor } }', {
            after: cursorOf(BigInt(event?.seq ?? 1) - 1n),
          })
        await heard.next()
        await heard.return?.()
        return ids.agent
      },
      agentHealth: async ({ org, ids }) => {
        // One of another kind before it: the place beside the other's event is not this one's.
        await world.asOwner(
          `insert into log.event (organization_id, type, subject, actor, data)
           select $1, type, 'agent/' || $2, '{"id": "t", "kind": "system", "name": "t"}',
             jsonb_build_object('agentId', $2::text, 'name', $2::text, 'reason', 'r')
           from unnest(array['agent.draining', 'agent.unhealthy']) with ordinality as u(type, n) order by n`,
          [org.id, ids.agent],
        )
        return ids.agent
      },
      agentInbox: async ({ org, spare }) => {
        const { sendMessage } = await org
          .as('admin')
          .query<{ sendMessage: { message: { id: string } } }>(
            'mutation($agent: String!) { sendMessage(input: { to: { agent: $agent }, body: 1 }) { message { id } } }',
            { agent: spare.ids.agent },
          )
        return sendMessage.message.id
      },
      deploymentEvents: async ({ org, ids }) => {
        // Of another kind before it, as above.
        await world.asOwner(
          `insert into log.event (organization_id, type, subject, actor, data)
           select $1, type, 'deployment/' || $2, '{"id": "t", "kind": "system", "name": "t"}',
             jsonb_build_object('deploymentId', $2::text, 'agentId', $3::text, 'name', $2::text)
           from unnest(array['agent.draining', 'deployment.started']) with ordinality as u(type, n) order by n`,
          [org.id, ids.deployment, ids.agent],
        )
        return ids.deployment
      },
      operationEvents: async ({ org, ids }) => {
        const { bulkControlRuns } = await org
          .as('admin')
          .query<{ bulkControlRuns: { operation: { id: string } } }>(
            'mutation($id: ID!) { bulkControlRuns(input: { action: PAUSE, filter: { ids: [$id] }, dryRun: true }) { operation { id } } }',
            { id: ids.run },
          )
        return bulkControlRuns.operation.id
      },
      incidentEvents: async ({ org }) => {
        const { openIncident } = await org
          .as('admin')
          .query<{ openIncident: { incident: { id: string } } }>(
            'mutation { openIncident(input: { title: "t", description: "d", impact: TEAM }) { incident { id } } }',
          )
        return openIncident.incident.id
      },
      approvalInboxEvents: async ({ org }) => {
        const { requestApproval } = await org
          .as('operator')
          .query<{ requestApproval: { approval: { id: string } } }>(
            'mutation($key: String!) { requestApproval(input: { title: "t", action: "a", arguments: {}, reason: "r", idempotencyKey: $key }) { approval { id } } }',
            { key: crypto.randomUUID() },
          )
        return requestApproval.approval.id
      },
      escalationEvents: async ({ org, ids }) => {
        const admin = org.as('admin')
        await admin.send(
          'mutation($id: ID!) { acknowledgeEscalation(input: { id: $id }) { escalation { id } } }',
          { id: ids.escalation },
        )
        return ids.escalation
      },
      qualityEvents: async ({ org }) => {
        const { assessQuality } = await org
          .as('admin')
          .query<{ assessQuality: { assessment: { id: string } } }>(
            'mutation($key: String!) { assessQuality(input: { text: "t", idempotencyKey: $key }) { assessment { id } } }',
            { key: crypto.randomUUID() },
          )
        return assessQuality.assessment.id
      },
    }
  })
})

async function startRun({ org, ids }: Possessions): Promise<string> {
  const { startRun } = await org
    .as('admin')
    .query<{ startRun: { run: { id: string } } }>(
      'mutation($id: ID!) { startRun(input: { workflowId: $id, input: { message: "m" } }) { run { id } } }',
      { id: ids.workflow },
    )
  return startRun.run.id
}

async function take(caller: Caller, document: string, variables: Record<string, unknown>, count: number) {
  const taken = []
  for await (const delivery of caller.subscribe(document, variables)) {
    taken.push(delivery)
    if (taken.length === count) break
  }
  return taken
}

const secretsIn = (text: string, secrets: ReadonlySet<string>): string[] =>
  [...secrets].filter((secret) => text.includes(secret))

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
/** Of what was given: another for another. */
const HASH = /\b[0-9a-f]{64}\b/g
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g
const CURSOR = /"(?:endCursor|cursor)":"[^"]+"/g
const SECRET = /\btutti_[\w-]+/g

/** An answer without what differs from call to call. What is A's own stays to be seen. */
function masked(text: string, value: string, { secrets }: Rows): string {
  return text
    .replaceAll(value, '«value»')
    .replaceAll(CURSOR, '«cursor»')
    .replaceAll(ID, (id) => (secrets.has(id) ? '«of A»' : '«id»'))
    .replaceAll(HASH, (hash) => (secrets.has(hash) ? '«of A»' : '«hash»'))
    .replaceAll(TIME, '«time»')
    .replaceAll(SECRET, '«secret»')
}
