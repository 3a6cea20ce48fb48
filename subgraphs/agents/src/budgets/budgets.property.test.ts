import { randomUUID } from 'node:crypto'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerAgent } from '../agents/register-agent.ts'
import { createDomain } from '../hierarchy/create-domain.ts'
import { createTeam } from '../hierarchy/create-team.ts'
import { releaseReservations } from './release-reservations.ts'
import { reserveCost } from './reserve-cost.ts'
import { setBudget } from './set-budget.ts'
import { settleCost } from './settle-cost.ts'

const CALLERS = 50
/** What a call may come to at most, times its estimate. */
const WORST = 3

let world: TestDatabase
beforeAll(async () => {
  world = await openTestDatabase()
})
afterAll(() => world[Symbol.asyncDispose]())

interface Use {
  scope: string
  usd: number
  tokens: number
  reservedUsd: number
  reservedTokens: number
  reservedCalls: number
  usedCalls: number
}
const uses = (actor: Actor) =>
  world.database.readTenant<Use>(
    actor,
    `select b.scope, (u.used_usd + u.reserved_usd)::float8 as usd, (u.used_tokens + u.reserved_tokens)::float8 as tokens,
       u.reserved_usd::float8 as "reservedUsd", u.reserved_tokens::float8 as "reservedTokens",
       u.reserved_calls::float8 as "reservedCalls", u.used_calls::float8 as "usedCalls"
     from budget_use u join budget b on b.organization_id = u.organization_id and b.id = u.budget_id
     where u.organization_id = $1`,
    [actor.organizationId],
  )

const document = (name: string) => `
metadata: { name: ${name}, type: test.agent, version: 1.0.0 }
capabilities: [test]
executor: { type: builtin, function: sentiment }
`

/** An organization of a team with two agents, and budgets at every level. */
async function nested(limits: Limits): Promise<{ actor: Actor; agents: string[]; runs: string[] }> {
  const actor = await world.organization('admin')
  const { id: domainId } = await createDomain(world, actor, { name: 'product' })
  const { id: teamId } = await createTeam(world, actor, { domainId, name: 'writers' })
  const agents: string[] = []
  for (const name of ['one', 'two'])
    agents.push((await registerAgent(world, actor, { document: document(name), teamId })).agent.id)
  const rest = { onBreach: 'stop' as const }
  const [agentId] = agents
  await setBudget(world, actor, {
    ...rest,
    name: 'o',
    scope: 'organization',
    window: 'day',
    ...limits.organization,
  })
  await setBudget(world, actor, {
    ...rest,
    name: 'd',
    scope: 'domain',
    domainId,
    window: 'total',
    ...limits.domain,
  })
  await setBudget(world, actor, { ...rest, name: 't', scope: 'team', teamId, window: 'day', ...limits.team })
  await setBudget(world, actor, {
    ...rest,
    name: 'a',
    scope: 'agent',
    agentId,
    window: 'total',
    ...limits.agent,
  })
  await setBudget(world, actor, { ...rest, name: 'r', scope: 'run', window: 'total', ...limits.run })
  await setBudget(world, actor, {
    ...rest,
    name: 's',
    scope: 'step',
    step: 'write',
    window: 'total',
    ...limits.step,
  })
  return { actor, agents, runs: [randomUUID(), randomUUID(), randomUUID()] }
}

const limit = fc.record({
  maxUsd: fc.integer({ min: 1, max: 60 }),
  maxTokens: fc.integer({ min: 1_000, max: 40_000 }),
})
const limits = fc.record({
  organization: limit,
  domain: limit,
  team: limit,
  agent: limit,
  run: limit,
  step: limit,
})
type Limits = typeof limits extends fc.Arbitrary<infer T> ? T : never
const SCOPES = ['organization', 'domain', 'team', 'agent', 'run', 'step'] as const

const call = fc.record({
  usd: fc.integer({ min: 1, max: 4_000 }).map((milli) => milli / 1_000),
  tokens: fc.integer({ min: 1, max: 3_000 }),
  /** What it really costs, times its estimate. */
  actual: fc.double({ min: 0, max: WORST, noNaN: true }),
  agent: fc.nat(1),
  run: fc.nat(2),
  step: fc.constantFrom('write', 'check'),
  turns: fc.nat(3),
})

test('50 callers at once overrun no budget by more than one call’s error, and all that was reserved is settled', async () => {
  await fc.assert(
    fc.asyncProperty(
      limits,
      fc.array(call, { minLength: CALLERS, maxLength: CALLERS }),
      async (bounds, calls) => {
        const { actor, agents, runs } = await nested(bounds)
        const errors = { usd: 0, tokens: 0 }
        let made = 0
        const check = async (): Promise<void> => {
          for (const use of await uses(actor)) {
            const scope = SCOPES.find((each) => each === use.scope) ?? expect.unreachable()
            expect(use.usd).toBeLessThanOrEqual(bounds[scope].maxUsd + errors.usd + 1e-9)
            expect(use.tokens).toBeLessThanOrEqual(bounds[scope].maxTokens + errors.tokens)
          }
        }
        await Promise.all(
          calls.map(async ({ usd, tokens, actual, agent, run, step, turns }) => {
            const reserved = await reserveCost(
              world,
              actor,
              {
                agentId: agents[agent] ?? null,
                runId: runs[run] ?? null,
                workflowId: randomUUID(),
                stepPath: step,
                step,
              },
              { usd, tokens, calls: 1, atMost: { usd: usd * WORST, tokens: tokens * WORST } },
            )
            if (reserved.type === 'breached') return
            for (let turn = 0; turn < turns; turn++) await check()
            made += 1
            const cost = {
              usd: Number((usd * actual).toFixed(6)),
              tokens: Math.floor(tokens * actual),
              calls: 1,
            }
            errors.usd = Math.max(errors.usd, cost.usd - usd)
            errors.tokens = Math.max(errors.tokens, cost.tokens - tokens)
            await settleCost(world, reserved.reservation, cost)
          }),
        )
        await check()
        for (const use of await uses(actor)) {
          expect(use).toMatchObject({ reservedUsd: 0, reservedTokens: 0, reservedCalls: 0 })
          if (use.scope === 'organization') expect(use.usedCalls).toBe(made)
        }
      },
    ),
    { numRuns: 12, endOnFailure: true },
  )
}, 60_000)

/** A run, two that it began, and one that the first of these began; each of a workflow of its own. */
async function family(actor: Actor): Promise<{ id: string; workflowId: string; above: string[] }[]> {
  const ids = Array.from({ length: 4 }, () => randomUUID())
  const parents = [null, ids[0], ids[0], ids[1]]
  return world.database.transact(actor, async (client) => {
    const runs: { id: string; workflowId: string; above: string[] }[] = []
    for (const [index, id] of ids.entries()) {
      const [workflowId, versionId] = [randomUUID(), randomUUID()]
      const parent = parents[index] ?? null
      await client.query(
        `with w as (insert into workflow (organization_id, id, name, latest_version) values ($1, $2::uuid, $2::text, 1)),
           v as (insert into workflow_version (organization_id, id, workflow_id, version, source, source_hash, definition)
             values ($1, $3, $2::uuid, 1, '', '', '{}'))
         insert into run (organization_id, id, workflow_id, version_id, status, input, started_by, parent_run_id, depth)
         values ($1, $4, $2::uuid, $3, 'running', '{}', '{}', $5, $6)`,
        [actor.organizationId, workflowId, versionId, id, parent, parent === null ? 0 : 1],
      )
      const above = runs.find((each) => each.id === parent)
      runs.push({ id, workflowId, above: [id, ...(above?.above ?? [])] })
    }
    return runs
  })
}

const familyCall = fc.record({ cents: fc.integer({ min: 1, max: 300 }), run: fc.nat(3) })

test('a run and those that it began, and theirs, overspend its budget together no more than alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1_500 }),
      fc.array(familyCall, { minLength: 20, maxLength: 20 }),
      async (maxCents, calls) => {
        const actor = await world.organization('admin')
        const runs = await family(actor)
        const [root = expect.unreachable(), child] = runs
        const budget = { scope: 'run', window: 'total', onBreach: 'stop' } as const
        await setBudget(world, actor, { ...budget, name: 'every', maxUsd: maxCents / 100 })
        await setBudget(world, actor, { ...budget, name: 'root', runId: root.id, maxCalls: 12 })
        await setBudget(world, actor, {
          ...budget,
          name: 'child',
          workflowId: child?.workflowId,
          maxCalls: 4,
        })
        const made: typeof calls = []
        await Promise.all(
          calls.map(async ({ cents, run }) => {
            const { id: runId, workflowId } = runs[run] ?? expect.unreachable()
            const spender = { agentId: null, runId, workflowId, stepPath: 'write', step: 'write' }
            const amount = { usd: cents / 100, tokens: 1, calls: 1 }
            const reserved = await reserveCost(world, actor, spender, amount)
            if (reserved.type === 'breached') return
            made.push({ cents, run })
            await settleCost(world, reserved.reservation, amount)
          }),
        )
        const rows = await world.database.readTenant<{
          name: string
          subject: string
          cents: number
          calls: number
        }>(
          actor,
          `select b.name, u.subject, (u.used_usd * 100)::float8 as cents, u.used_calls::float8 as calls
           from budget_use u join budget b on b.organization_id = u.organization_id and b.id = u.budget_id
           where u.organization_id = $1 and u.used_calls > 0`,
          [actor.organizationId],
        )
        /** What was spent in this run and below. */
        const below = (id: string) => made.filter(({ run }) => runs[run]?.above.includes(id))
        const expected = (name: string, id: string) => {
          const spent = below(id)
          const cents = spent.reduce((sum, each) => sum + each.cents, 0)
          return spent.length === 0 ? [] : [{ name, subject: id, cents, calls: spent.length }]
        }
        const sorted = (list: typeof rows) =>
          list.toSorted((left, right) => (left.name + left.subject < right.name + right.subject ? -1 : 1))
        expect(sorted(rows)).toEqual(
          sorted([
            ...runs.flatMap(({ id }) => expected('every', id)),
            ...expected('root', root.id),
            ...expected('child', child?.id ?? ''),
          ]),
        )
        for (const { id } of runs)
          expect(below(id).reduce((sum, { cents }) => sum + cents, 0)).toBeLessThanOrEqual(maxCents)
        expect(below(root.id).length).toBeLessThanOrEqual(12)
        expect(below(child?.id ?? '').length).toBeLessThanOrEqual(4)
      },
    ),
    { numRuns: 10, endOnFailure: true },
  )
}, 60_000)

test('what a lost process had reserved is free when its lease is over', async () => {
  const actor = await world.organization('admin')
  await setBudget(world, actor, { name: 'all', scope: 'organization', window: 'total', maxUsd: 1 })
  const nobody = { agentId: null, runId: null, workflowId: null, stepPath: null, step: null }
  const whole = { usd: 1, tokens: 10, calls: 1 }
  const lost = await reserveCost(world, actor, nobody, whole)
  expect(lost.type).toBe('reserved')
  expect(await reserveCost(world, actor, nobody, whole)).toMatchObject({
    type: 'breached',
    budgets: [{ name: 'all', onBreach: 'stop' }],
  })
  expect(await releaseReservations(world)).toBe(0)
  await world.database.transact(actor, (client) =>
    client.query(`update budget_reservation set expires_at = clock_timestamp() - interval '1 s'`),
  )
  expect(await releaseReservations(world)).toBe(1)
  const second = await reserveCost(world, actor, nobody, whole)
  if (second.type !== 'reserved' || lost.type !== 'reserved') return expect.unreachable()
  // It was not lost after all: what it cost counts, and nothing is let go twice.
  await settleCost(world, lost.reservation, { usd: 0.25, tokens: 5, calls: 1 })
  await settleCost(world, second.reservation, { usd: 0.5, tokens: 5, calls: 1 })
  expect(await uses(actor)).toMatchObject([
    { usd: 0.75, tokens: 10, reservedUsd: 0, reservedTokens: 0, reservedCalls: 0, usedCalls: 2 },
  ])
})
