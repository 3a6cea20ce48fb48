import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLimitMemory } from './limit-memory.ts'
import { type LimitWorld, openLimitWorld } from './testing/limit-world.ts'

let world: LimitWorld
beforeAll(async () => {
  world = await openLimitWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('organizations without limits are not looked up, and a change is noticed within a second', async () => {
  let now = 0
  const memory = createLimitMemory(() => now)
  const [org, free] = [await world.organization(), await world.organization()]
  const workflow = await org.workflow()
  expect([...(await memory.limitedOrganizations(world.worker))]).toEqual([])
  await org.limit({ maxRunning: 2 })
  now = 999
  expect([...(await memory.limitedOrganizations(world.worker))]).toEqual([])
  now = 1_000
  expect([...(await memory.limitedOrganizations(world.worker))]).toEqual([org.id])
  expect(memory.mayTakeChildren(org.id)).toBe(false)
  expect(memory.mayTakeChildren(free.id)).toBe(true)
  expect(memory.limitsRuns(org.id)).toBe(false)

  await org.limit({ counts: 'runs', scope: 'workflow', subject: workflow, maxRunning: 1 })
  expect(memory.limitsRuns(org.id)).toBe(false)
  // Not looked up yet after a change: nothing goes on that a limit may concern.
  memory.forget()
  expect(memory.mayTakeChildren(free.id)).toBe(false)
  expect(memory.mayContinueInPlace(free.id, workflow, 'a')).toBe(false)
  expect(memory.mayContinueInPlace(free.id, workflow, null)).toBe(true)
  expect(memory.limitsRuns(free.id)).toBe(true)
  await memory.limitedOrganizations(world.worker)
  expect(memory.limitsRuns(org.id)).toBe(true)
})

test('a strand goes on in place unless a rate, a budget or a limit of the agent concerns it', async () => {
  const memory = createLimitMemory()
  const [bounded, paced, budgeted, keyed] = [
    await world.organization(),
    await world.organization(),
    await world.organization(),
    await world.organization(),
  ]
  await bounded.limit({ maxRunning: 1 })
  await bounded.limit({ scope: 'workflow', subject: 'w', maxRunning: 1 })
  await bounded.limit({ scope: 'agent', subject: 'a', maxRunning: 1 })
  await paced.limit({ scope: 'workflow', subject: 'w', rate: { starts: 1, perSeconds: 1 } })
  await budgeted.limit({ counts: 'cost', maxCostUsd: 1 })
  await keyed.limit({ scope: 'key', subject: 'k', rate: { starts: 1, perSeconds: 1 } })
  await memory.limitedOrganizations(world.worker)
  expect(memory.mayContinueInPlace(bounded.id, 'w', 'b')).toBe(true)
  expect(memory.mayContinueInPlace(bounded.id, 'w', 'a')).toBe(false)
  expect(memory.mayContinueInPlace(paced.id, 'w', 'a')).toBe(false)
  expect(memory.mayContinueInPlace(paced.id, 'w', null)).toBe(true)
  expect(memory.mayContinueInPlace(paced.id, 'v', 'a')).toBe(true)
  expect(memory.mayContinueInPlace(budgeted.id, 'w', 'a')).toBe(false)
  expect(memory.mayContinueInPlace(keyed.id, 'w', 'a')).toBe(false)
  expect(memory.mayContinueInPlace('of nobody', 'w', 'a')).toBe(true)
})

test('a starter learns whether its run waits for its turn, in its own tenant', async () => {
  const memory = createLimitMemory()
  const [org, whole] = [await world.organization(), await world.organization()]
  const [limited, free] = [await org.workflow(), await org.workflow()]
  await org.limit({ counts: 'runs', scope: 'workflow', subject: limited, maxRunning: 1 })
  await whole.limit({ counts: 'runs', maxRunning: 1 })
  const asks = (of: typeof org, workflow: string) =>
    world.database.transact(of.actor, (client) => memory.startsInLine(client, of.id, workflow))
  expect([await asks(org, limited), await asks(org, free), await asks(whole, free)]).toEqual([
    true,
    false,
    true,
  ])
})
