import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LimitWorld, openLimitWorld } from './testing/limit-world.ts'

let world: LimitWorld
beforeAll(async () => {
  world = await openLimitWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('no index names what changes when a strand goes on in place', async () => {
  const org = await world.organization()
  const rows = await org.sql<{ name: string; definition: string }>(
    `select c.relname as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i
     join pg_class c on c.oid = i.indexrelid where i.indrelid = 'strand'::regclass`,
  )
  expect(rows.length).toBeGreaterThan(8)
  const changing = /\b(task_id|agent_id|fence|claim_id|state|resume|recoveries|generation)\b/
  expect(rows.filter(({ definition }) => changing.test(definition))).toEqual([])
})
