import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sendMessage } from './send-message.ts'

let world: TestDatabase
let actor: Actor
beforeAll(async () => {
  world = await openTestDatabase()
  actor = await world.organization('agent')
})
afterAll(() => world[Symbol.asyncDispose]())

const message = {
  idempotencyKey: 'task-1',
  channel: 'email',
  recipient: 'ann@example.com',
  body: 'It is on its way.',
}

test('a message goes out once, however often and however concurrently it is sent', async () => {
  const sent = await Promise.all([1, 2, 3, 4].map(() => sendMessage(world, actor, message)))
  expect(sent.filter(({ created }) => created)).toHaveLength(1)
  expect(new Set(sent.map((each) => each.message.id)).size).toBe(1)
})

test('another message under the same key is refused', async () => {
  const other = sendMessage(world, actor, { ...message, body: 'Something else.' })
  await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
})

test('the key of one tenant is free for another', async () => {
  const stranger = await world.organization('agent')
  expect((await sendMessage(world, stranger, message)).created).toBe(true)
})

test('every mistake is said at once', async () => {
  const wrong = sendMessage(world, actor, { ...message, idempotencyKey: 'k', channel: '', body: 'a\0b' })
  await expect(wrong).rejects.toMatchObject({
    code: 'BAD_INPUT',
    problems: [{ path: 'message.channel' }, { path: 'message.body' }],
  })
})
