import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerAgent } from '../agents/register-agent.ts'
import { acknowledgeMessages } from './acknowledge-messages.ts'
import { claimMessages, MOST_DELIVERIES } from './claim-messages.ts'
import { endOverdueMessages } from './end-overdue-messages.ts'
import { sendAgentMessage } from './send-agent-message.ts'

let world: TestDatabase
let actor: Actor
let agents = 0
beforeAll(async () => {
  world = await openTestDatabase()
  actor = await world.organization('admin')
})
afterAll(() => world[Symbol.asyncDispose]())

/** As the organization itself, around the operations: what only time would do. */
const sql = <Row extends object>(text: string, id: string): Promise<Row[]> =>
  world.database.transact(actor, async (client) => (await client.query<Row>(text, [id])).rows)

/** What may happen at an inbox; numbers choose among what there is. */
const acts = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ act: fc.constant('send' as const), priority: fc.nat(3), key: fc.nat(5) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ act: fc.constant('receive' as const), most: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('acknowledge' as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('lapse' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('expire' as const), which: fc.nat() }) },
  ),
  { maxLength: 25 },
)

interface Known {
  id: string
  priority: number
  deliveries: number
  state: 'waiting' | 'leased' | 'acknowledged' | 'expired'
}

test('whatever happens in whatever order: nothing is lost, given out twice at once, or given out after it was acknowledged', async () => {
  await fc.assert(
    fc.asyncProperty(acts, async (steps) => {
      const { agent } = await registerAgent(world, actor, {
        document: `metadata: {name: reader-${agents++}, type: a.b, version: "1"}\nexecutor: {type: external}`,
      })
      const agentId = agent.id
      const box = new Map<string, Known>()
      const among = (which: number, state?: Known['state']): Known | undefined => {
        const all = [...box.values()].filter((each) => state === undefined || each.state === state)
        return all[which % Math.max(1, all.length)]
      }
      const receive = async (most: number): Promise<void> => {
        const expected = [...box.values()]
          .filter(({ state }) => state === 'waiting')
          .sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1))
          .slice(0, most)
        const { messages } = await claimMessages(world.database, actor, {
          agentId,
          most,
          leaseSeconds: 3_600,
        })
        expect(messages.map(({ id }) => id)).toEqual(expected.map(({ id }) => id))
        for (const message of messages) {
          const known = box.get(message.id)
          if (!known) throw new Error('It was never sent.')
          known.state = 'leased'
          known.deliveries += 1
          expect(message.deliveries).toBe(known.deliveries)
        }
      }
      for (const step of steps) {
        if (step.act === 'send') {
          const { message, created } = await sendAgentMessage(world, actor, {
            to: { agent: agentId },
            body: step.key,
            priority: step.priority,
            idempotencyKey: `${agentId}-${step.key}-${step.priority}`,
          })
          expect(created).toBe(!box.has(message.id))
          if (created)
            box.set(message.id, { id: message.id, priority: step.priority, deliveries: 0, state: 'waiting' })
        } else if (step.act === 'receive') await receive(step.most)
        else if (step.act === 'acknowledge') {
          const known = among(step.which)
          if (!known) continue
          const done = await acknowledgeMessages(world, actor, { agent: agentId, ids: [known.id] })
          const refused = known.state === 'expired'
          expect(done).toEqual({
            acknowledged: refused ? [] : [known.id],
            refused: refused ? [known.id] : [],
          })
          if (!refused) known.state = 'acknowledged'
        } else if (step.act === 'lapse') {
          const known = among(step.which, 'leased')
          if (!known || known.deliveries >= MOST_DELIVERIES) continue
          await sql(
            `update agent_message set lease_until = now() - interval '1 second' where id = $1`,
            known.id,
          )
          known.state = 'waiting'
        } else {
          const known = among(step.which)
          if (!known || known.state === 'acknowledged' || known.state === 'expired') continue
          await sql(
            `update agent_message set expires_at = now() - interval '1 second', due_at = now() - interval '1 second' where id = $1`,
            known.id,
          )
          expect(await endOverdueMessages(world)).toBe(1)
          known.state = 'expired'
        }
      }
      await receive(100)
      const rows = await sql<{ id: string; status: string }>(
        'select id, status from agent_message where to_agent_id = $1',
        agentId,
      )
      expect(new Map(rows.map(({ id, status }) => [id, status]))).toEqual(
        new Map([...box.values()].map(({ id, state }) => [id, state === 'leased' ? 'delivered' : state])),
      )
    }),
    { numRuns: 40 },
  )
})

test('readers at once share what there is, each message to one', async () => {
  const { agent } = await registerAgent(world, actor, {
    document: `metadata: {name: shared-${agents++}, type: a.b, version: "1"}\nexecutor: {type: external}`,
  })
  const sent = await Promise.all(
    Array.from({ length: 60 }, (_, body) =>
      sendAgentMessage(world, actor, { to: { agent: agent.id }, body }),
    ),
  )
  const got = await Promise.all(
    Array.from({ length: 10 }, () =>
      claimMessages(world.database, actor, { agentId: agent.id, most: 10, leaseSeconds: 60 }),
    ),
  )
  const rest = await claimMessages(world.database, actor, { agentId: agent.id, most: 100, leaseSeconds: 60 })
  const ids = [...got, rest].flatMap(({ messages }) => messages.map(({ id }) => id))
  expect(ids).toHaveLength(60)
  expect(new Set(ids)).toEqual(new Set(sent.map(({ message }) => message.id)))
})
