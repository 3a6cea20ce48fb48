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
