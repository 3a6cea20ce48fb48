import { type TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerAgent } from '../../agents/register-agent.ts'
import { type AgentsWorld, openAgents } from '../../testing/open-agents.ts'

let opened: AgentsWorld
let world: TestDatabase
let admin: Actor
beforeAll(async () => {
  opened = await openAgents()
  world = opened.world
  admin = await world.organization('admin')
})
afterAll(() => opened[Symbol.asyncDispose]())

const forecast = async (variables: Record<string, unknown>) => {
  const query = `query ($agentId: ID, $type: String, $hours: Int) {
    forecastLoad(agentId: $agentId, type: $type, hours: $hours) { from tasks weeks } }`
  const { data, codes } = await opened.ask(admin, query, variables)
  const hours: { from: string; tasks: number; weeks: number }[] = data?.forecastLoad ?? []
  return { hours, codes }
}
const register = async (name: string) =>
  (
    await registerAgent(world, admin, {
      document: `
metadata: { name: ${name}, type: test.writer, version: 1.0.0 }
executor: { type: builtin, function: sentiment }
`,
    })
  ).agent.id

test('what was at an hour of the week is expected at it again, of an agent and of all of its type', async () => {
  const [one, two] = [await register('one'), await register('two')]
  expect((await forecast({ agentId: one })).hours).toEqual([])
  // Three weeks of an hour's load: at each hour of UTC as many tasks as the hour says, half of them waiting; the other has one.
  for (const [agentId, load] of [
    [one, 'extract(hour from minute at time zone $$UTC$$) / 2.0'],
    [two, '0.5'],
  ])
    await world.database.transact(admin, (client) =>
      client.query(
        `insert into agent_load (organization_id, agent_id, minute, samples, instances, slots, running_average, running_max,
           queued, queued_max)
         select $1, $2, minute, 1, 1, 1, ${load}, 24, ceil(${load}), 24
         from generate_series(date_trunc('hour', now()) - interval '21 days', now() - interval '1 hour', interval '1 hour') minute`,
        [admin.organizationId, agentId],
      ),
    )
  const { hours } = await forecast({ agentId: one })
  expect(hours).toHaveLength(24)
  for (const { from, tasks, weeks } of hours) {
    const hour = new Date(from).getUTCHours()
    expect([tasks, weeks]).toEqual([expect.closeTo(hour / 2 + Math.ceil(hour / 2), 6), 3])
  }
  const ofType = await forecast({ type: 'test.writer', hours: 3 })
  expect(ofType.hours.map(({ tasks }) => tasks)).toEqual(
    hours.slice(0, 3).map(({ tasks }) => expect.closeTo(tasks + 1.5, 6)),
  )
})

test('it is of an agent or a type that is there', async () => {
  expect((await forecast({})).codes).toEqual(['BAD_INPUT'])
  expect((await forecast({ type: 'test.writer', hours: 169 })).codes).toEqual(['BAD_INPUT'])
  expect((await forecast({ type: 'test.nobody' })).codes).toEqual(['NOT_FOUND'])
  expect((await forecast({ agentId: 'no-id' })).codes).toEqual(['NOT_FOUND'])
})
