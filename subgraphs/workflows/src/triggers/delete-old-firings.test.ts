import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deleteOldFirings } from './delete-old-firings.ts'
import { openTriggerWorld, type TriggerWorld } from './testing/trigger-world.ts'

let world: TriggerWorld
beforeAll(async () => {
  world = await openTriggerWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/** As if it had been written so many days ago. */
const age = (actor: Actor, table: string, days: number, where: string): Promise<unknown> =>
  world.database.transact(actor, (client) =>
    client.query(`update ${table} set created_at = now() - $1 * interval '1 day' where ${where}`, [days]),
  )
const fire = (actor: Actor, id: string): Promise<unknown> =>
  world.ask(actor, 'mutation($input: FireTriggerInput!) { fireTrigger(input: $input) { firing { id } } }', {
    input: { id },
  })
const publish = async (actor: Actor, id: string): Promise<unknown> => {
  const { data } = await world.ask(
    actor,
    `mutation($input: PublishEventInput!) { publishEvent(input: $input) { created } }`,
    { input: { type: 'com.example.paid', source: 'shop', id, data: {} } },
  )
  return Object(data['publishEvent']).created
}

test('settled firings go after 90 days, of every tenant; younger and pending ones stay, and so do runs', async () => {
  for (const actor of [await world.organization(), await world.organization()]) {
    const workflowId = await world.workflow(actor)
    const trigger = await world.trigger(actor, { workflowId, kind: 'SCHEDULE', cron: '@yearly' })
    for (let each = 0; each < 4; each += 1) await fire(actor, trigger.id)
    const [old, young, pending] = await world.firings(actor, trigger.id)
    await age(actor, 'trigger_firing', 91, `id = '${old?.id}'`)
    await age(actor, 'trigger_firing', 89, `id = '${young?.id}'`)
    await age(actor, 'trigger_firing', 91, `id = '${pending?.id}'`)
    await world.database.transact(actor, (client) =>
      client.query(`update trigger_firing set status = 'pending' where id = $1`, [pending?.id]),
    )
    const before = await world.firings(actor, trigger.id)
    expect(await deleteOldFirings(world)).toBe(1)
    expect(await deleteOldFirings(world)).toBe(0)
    expect(await world.firings(actor, trigger.id)).toEqual(before.filter(({ id }) => id !== old?.id))
    expect(await world.runs(actor)).toHaveLength(4)
  }
})

test('an integrator’s event is the same for 90 days', async () => {
  const actor = await world.organization()
  expect([await publish(actor, 'a'), await publish(actor, 'b')]).toEqual([true, true])
  await age(actor, 'integration_event', 89, `event_id = 'a'`)
  await age(actor, 'integration_event', 91, `event_id = 'b'`)
  expect(await deleteOldFirings(world)).toBe(1)
  expect([await publish(actor, 'a'), await publish(actor, 'b')]).toEqual([false, true])
})

test('a worker can take away nothing that is younger', async () => {
  const actor = await world.organization()
  const workflowId = await world.workflow(actor)
  const { id } = await world.trigger(actor, { workflowId, kind: 'SCHEDULE', cron: '@yearly' })
  await fire(actor, id)
  await publish(actor, 'c')
  const worker = world.database.pool('worker')
  for (const table of ['trigger_firing', 'integration_event'])
    expect((await worker.query(`delete from ${table}`)).rowCount).toBe(0)
  expect(await world.firings(actor, id)).toHaveLength(1)
})
