import { openEscalation } from '@tutti/governance/domain'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createLog } from '@tutti/runtime'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { workerActor } from '../worker-services.ts'
import { startEscalations } from './start-escalations.ts'

let world: TestDatabase
const log = createLog('test', 'silent')

beforeAll(async () => {
  world = await openTestDatabase()
})
afterAll(() => world[Symbol.asyncDispose]())

const passTime = (id: string): Promise<unknown> =>
  world.asOwner(
    `update escalation set acknowledge_by = clock_timestamp() - interval '1 second',
       due_at = clock_timestamp() - interval '1 second' where id = $1 and due_at is not null`,
    [id],
  )
const standing = async (id: string) => {
  const [row] = await world.asOwner<{ level: string; turn: number; exhausted: boolean }>(
    'select level, turn, exhausted_at is not null as exhausted from escalation where id = $1',
    [id],
  )
  return row
}
const stepsOf = (id: string) =>
  world.asOwner<{ kind: string; level: string }>(
    'select kind, level from escalation_step where escalation_id = $1 order by id',
    [id],
  )

test('what is due of one organization is found beside another’s many', async () => {
  const [one, other] = [await world.organization(), await world.organization()]
  const due = async ({ organizationId }: { organizationId: string }, requestKey: string) => {
    const actor = workerActor(organizationId)
    const { id } = await openEscalation(world, actor, {
      requestKey,
      title: 't',
      reason: 'r',
      level: 'domain',
      approval: { title: 't', action: 'a', arguments: {}, reason: 'r' },
    })
    await passTime(id)
  }
  for (const key of ['1', '2', '3']) await due(one, key)
  await due(other, '4')
  await world.asOwner(
    `update approval set expires_at = clock_timestamp() - interval '1 second' where action = 'a'`,
  )
  for (const find of ['find_due_escalations', 'find_overdue_approvals']) {
    const { rows } = await world.database
      .pool('worker')
      .query<{ of: string }>(`select organization_id as of from ${find}(2)`)
    const found = rows.map(({ of }) => of).toSorted()
    expect(found, find).toEqual([one.organizationId, other.organizationId].toSorted())
  }
  await world.asOwner(`update approval set expires_at = null where action = 'a'`)
  await world.asOwner(`update escalation set status = 'resolved', due_at = null where title = 't'`)
})

test('a missed deadline goes up a level once, however many look, also after they were gone; the last level stays', async () => {
  const { organizationId } = await world.organization()
  const { id } = await openEscalation(world, workerActor(organizationId), {
    requestKey: 'k',
    title: 'No answer found',
    reason: 'Nothing fits.',
    level: 'domain',
  })
  {
    await using first = startEscalations({ database: world.database, log })
    await using second = startEscalations({ database: world.database, log })
    expect([first, second]).toHaveLength(2)
    await passTime(id)
    await vi.waitFor(async () => expect(await standing(id)).toMatchObject({ level: 'enterprise', turn: 2 }), {
      timeout: 60_000,
    })
  }
  // Nobody looks now: time passes, and nothing is lost.
  await passTime(id)
  expect(await standing(id)).toMatchObject({ level: 'enterprise' })
  await using third = startEscalations({ database: world.database, log })
  await using fourth = startEscalations({ database: world.database, log })
  expect([third, fourth]).toHaveLength(2)
  await vi.waitFor(async () => expect(await standing(id)).toMatchObject({ level: 'person', turn: 3 }), {
    timeout: 60_000,
  })
  await passTime(id)
  await vi.waitFor(async () => expect(await standing(id)).toMatchObject({ exhausted: true }), {
    timeout: 60_000,
  })
  expect(await stepsOf(id)).toEqual([
    { kind: 'opened', level: 'domain' },
    { kind: 'raised', level: 'enterprise' },
    { kind: 'raised', level: 'person' },
    { kind: 'exhausted', level: 'person' },
  ])
  const incidents = await world.asOwner('select title from incident where organization_id = $1', [
    organizationId,
  ])
  expect(incidents).toEqual([{ title: 'Nobody answers an escalation: No answer found' }])
})
