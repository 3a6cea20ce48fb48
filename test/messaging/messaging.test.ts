import { deleteOldMessages, endOverdueMessages } from '@tutti/agents/domain'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Caller, codesOf } from '../world/caller.ts'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import {
  BROADCAST,
  endLeases,
  endTime,
  hire,
  type Message,
  MESSAGE,
  post,
  RESPOND,
  SEND,
} from './post-office.ts'

let world: World
let org: Organization
let ann: Caller & { agentId: string }
let bob: Caller & { agentId: string }
const open: Caller[] = []
beforeAll(async () => {
  world = await startWorld()
  org = await world.organization()
  ann = await employ('ann')
  bob = await employ('bob')
})
afterAll(async () => {
  await Promise.all(open.map((caller) => caller.close()))
  await world[Symbol.asyncDispose]()
})

async function employ(name: string, more?: Parameters<typeof hire>[3], where = org) {
  const caller = await hire(world, where, name, more)
  open.push(caller)
  return caller
}
const bodies = (messages: readonly Message[]) => messages.map(({ body }) => body)
const eventsOf = async (subject: string) =>
  (
    await world.asOwner<{ type: string }>(`select type from log.event where subject = $1 order by seq`, [
      subject,
    ])
  ).map(({ type }) => type)

describe('an inbox', () => {
  test('keeps what was sent while its agent was away, and gives out the most urgent first, then the oldest', async () => {
    for (const [body, priority] of [
      ['first', 'NORMAL'],
      ['later', 'LOW'],
      ['now', 'URGENT'],
      ['second', 'NORMAL'],
      ['soon', 'HIGH'],
    ])
      await post.send(ann, { agent: 'bob' }, body, { priority })
    const messages = await post.receive(bob)
    expect(bodies(messages)).toEqual(['now', 'soon', 'first', 'second', 'later'])
    expect(messages[0]).toMatchObject({
      kind: 'MESSAGE',
      status: 'DELIVERED',
      deliveries: 1,
      from: { name: 'ann' },
      to: { name: 'bob' },
    })
    const ids = messages.map(({ id }) => id)
    expect(await post.acknowledge(bob, [...ids, 'nonsense'])).toEqual({
      acknowledged: ids,
      refused: ['nonsense'],
    })
  })

  test('gives a message to one reader, again when its lease is over, and never after it was acknowledged', async () => {
    const { id } = await post.send(ann, { agent: bob.agentId }, { any: ['json', null, 1] })
    const readers = await Promise.all([1, 2, 3, 4].map(() => post.receive(bob)))
    expect(bodies(readers.flat())).toEqual([{ any: ['json', null, 1] }])
    expect(await post.receive(bob)).toEqual([])
    await endLeases(world, bob.agentId)
    expect(await post.receive(bob)).toMatchObject([{ id, deliveries: 2 }])
    await endLeases(world, bob.agentId)
    // The lease is over, and yet who says so is done with it.
    expect(await post.acknowledge(bob, [id])).toEqual({ acknowledged: [id], refused: [] })
    expect(await post.acknowledge(bob, [id])).toEqual({ acknowledged: [id], refused: [] })
    expect(await post.receive(bob)).toEqual([])
    expect(await eventsOf(`message/${id}`)).toEqual(['message.sent'])
    expect(await eventsOf(`agent/${bob.agentId}`)).toContain('message.acknowledged')
  })

  test('gives up on a message after ten deliveries in vain: it is a dead letter', async () => {
    const { id } = await post.send(ann, { agent: 'bob' }, 'poison')
    for (let delivery = 1; delivery <= 10; delivery++) {
      expect(await post.receive(bob)).toMatchObject([{ id, deliveries: delivery }])
      await endLeases(world, bob.agentId)
    }
    expect(await post.receive(bob)).toEqual([])
    const { agentMessages } = await org
      .as('admin')
      .query<{ agentMessages: { nodes: Message[] } }>(
        `{ agentMessages(status: DEAD, agent: "bob") { nodes { ${MESSAGE} } } }`,
      )
    expect(agentMessages.nodes).toMatchObject([{ id, deadReason: 'UNACKNOWLEDGED' }])
    expect(await eventsOf(`message/${id}`)).toEqual(['message.sent', 'message.dead_lettered'])
    expect(await post.acknowledge(bob, [id])).toEqual({ acknowledged: [], refused: [id] })
  })

  test('forgets what is out of time, and workers take it away a month later', async () => {
    const { id } = await post.send(ann, { agent: 'bob' }, 'yesterday', { expiresInSeconds: 60 })
    await endTime(world, id)
    expect(await post.receive(bob)).toEqual([])
    expect(await endOverdueMessages(world.data)).toBe(1)
    expect(await eventsOf(`message/${id}`)).toEqual(['message.sent', 'message.expired'])
    expect(await deleteOldMessages(world.data)).toBe(0)
    await world.asOwner(`update agent_message set ended_at = ended_at - interval '31 days' where id = $1`, [
      id,
    ])
    expect(await deleteOldMessages(world.data)).toBe(1)
    const { agentMessage } = await org
      .as('admin')
      .query<{ agentMessage: Message | null }>('query($id: ID!) { agentMessage(id: $id) { id } }', { id })
    expect(agentMessage).toBeNull()
  })

  test('has a bound, and says so', async () => {
    const carl = await employ('carl')
    await world.asOwner(
      `insert into agent_message (organization_id, kind, sender_id, sender, to_agent_id, priority, body, expires_at)
       select $1, 'message', 'x', '{"id": "x", "kind": "person", "name": "x"}', $2, 1, '1', now() + interval '1 hour'
       from generate_series(1, 10000)`,
      [org.id, carl.agentId],
    )
    const input = { to: { agent: carl.agentId }, body: 'one more' }
    expect(codesOf(await ann.send(SEND, { input }))).toEqual(['INBOX_FULL'])
    const [first] = await post.receive(carl, { most: 1 })
    await post.acknowledge(carl, [first?.id ?? ''])
    expect(codesOf(await ann.send(SEND, { input }))).toEqual([])
    expect(codesOf(await ann.send(SEND, { input }))).toEqual(['INBOX_FULL'])
  })
})

describe('sending', () => {
  test('happens once a key, however often and however concurrently', async () => {
    const dora = await employ('dora')
    const input = { to: { agent: 'dora' }, body: { n: 1 }, idempotencyKey: 'order-1' }
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => ann.send(SEND, { input })))
    const sent = answers.map(
      ({ body }) => body.data?.['sendMessage'] as { created: boolean; message: { id: string } },
    )
    expect(sent.filter(({ created }) => created)).toHaveLength(1)
    expect(new Set(sent.map(({ message }) => message.id)).size).toBe(1)
    expect(await post.receive(dora)).toHaveLength(1)
    const other = await ann.send(SEND, { input: { ...input, body: { n: 2 } } })
    expect(codesOf(other)).toEqual(['IDEMPOTENCY_KEY_REUSED'])
    // Another's key is another's.
    expect(codesOf(await bob.send(SEND, { input }))).toEqual([])
    expect(await post.receive(dora)).toHaveLength(1)
  })

  test('goes by type or capability to the one with the fewest messages, and never to the sender', async () => {
    const writers = [
      await employ('writer-1', { type: 'content.writer', capabilities: ['prose'] }),
      await employ('writer-2', { type: 'content.writer', capabilities: ['prose', 'verse'] }),
      await employ('writer-3', { type: 'content.editor', capabilities: ['prose'] }),
    ]
    const names = []
    for (let n = 0; n < 6; n++) names.push((await post.send(ann, { capability: 'prose' }, n)).to?.name)
    expect([...Map.groupBy(names, (name) => name).values()].map(({ length }) => length)).toEqual([2, 2, 2])
    const verse = await post.send(ann, { type: 'content.writer', capability: 'verse' }, 'a rhyme')
    expect(verse.to?.name).toBe('writer-2')
    const [first] = writers
    if (!first) throw new Error('There are writers.')
    for (let n = 0; n < 4; n++)
      expect((await post.send(first, { type: 'content.writer' }, n)).to?.name).toBe('writer-2')
  })

  test('says every mistake at once', async () => {
    const { body } = await ann.send(SEND, {
      input: { to: { agent: 'bob', type: 'x' }, body: 'a\0b', expiresInSeconds: 0, idempotencyKey: '' },
    })
    expect(body.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_INPUT',
      problems: [
        { path: 'input.to' },
        { path: 'input.body' },
        { path: 'input.expiresInSeconds' },
        { path: 'input.idempotencyKey' },
      ],
    })
    const large = await ann.send(SEND, { input: { to: { agent: 'bob' }, body: 'x'.repeat(256 * 1024) } })
    expect(codesOf(large)).toEqual(['BAD_INPUT'])
  })

  test('to an agent of another organization is as to nobody', async () => {
    const elsewhere = await world.organization()
    const stranger = await employ('stranger', {}, elsewhere)
    for (const agent of [stranger.agentId, 'stranger', crypto.randomUUID()])
      expect(codesOf(await ann.send(SEND, { input: { to: { agent }, body: 'hello' } }))).toEqual([
        'NOT_FOUND',
      ])
    expect(await post.receive(stranger)).toEqual([])
  })
})

describe("an agent's key", () => {
  test('reads, acknowledges and lists no other inbox', async () => {
    const erin = await employ('erin')
    const { id } = await post.send(ann, { agent: 'erin' }, 'for erin alone')
    const read =
      'mutation($input: ReceiveMessagesInput!) { receiveMessages(input: $input) { messages { id } } }'
    expect(codesOf(await bob.send(read, { input: { agent: 'erin' } }))).toEqual(['NOT_FOUND'])
    expect(codesOf(await bob.send('{ agentMessages(agent: "erin") { nodes { id } } }'))).toEqual([
      'NOT_FOUND',
    ])
    expect(await post.acknowledge(bob, [id])).toEqual({ acknowledged: [], refused: [id] })
    const see = 'query($id: ID!) { agentMessage(id: $id) { id } }'
    expect((await bob.query<{ agentMessage: unknown }>(see, { id })).agentMessage).toBeNull()
    expect((await ann.query<{ agentMessage: unknown }>(see, { id })).agentMessage).toEqual({ id })
    const all = await bob.query<{ agentMessages: { nodes: { id: string }[] } }>(
      '{ agentMessages(first: 100) { nodes { id } } }',
    )
    expect(all.agentMessages.nodes.map((message) => message.id)).not.toContain(id)
    expect(bodies(await post.receive(erin))).toEqual(['for erin alone'])
    // An operator may, and says whose.
    expect(await post.acknowledge(org.as('operator'), [id], { agent: 'erin' })).toMatchObject({
      acknowledged: [id],
    })
    expect(codesOf(await org.as('operator').send(read, { input: {} }))).toEqual(['BAD_INPUT'])
    expect(codesOf(await org.as('viewer').send(read, { input: { agent: 'erin' } }))).toEqual(['FORBIDDEN'])
  })

  test('of no agent sends nothing', async () => {
    const nobody = await org.as('agent').send(SEND, { input: { to: { agent: 'bob' }, body: 1 } })
    expect(codesOf(nobody)).toEqual(['NOT_FOUND'])
  })
})

describe('a request', () => {
  test('is answered once: into the inbox of who asked, and to who waits for it', async () => {
    const id = await post.ask(ann, { agent: 'bob' }, 'what is the time?')
    const waiting = post.answerOf(ann, id, 8)
    expect(await post.receive(bob)).toMatchObject([{ id, kind: 'REQUEST', priority: 'HIGH' }])
    const input = { requestId: id, body: 'noon' }
    const [first, again] = [await bob.send(RESPOND, { input }), await bob.send(RESPOND, { input })]
    expect(first.body.data?.['respondToRequest']).toMatchObject({ created: true })
    expect(again.body.data?.['respondToRequest']).toMatchObject({ created: false })
    expect(codesOf(await bob.send(RESPOND, { input: { ...input, body: 'midnight' } }))).toEqual([
      'INVALID_STATE',
    ])
    expect(await waiting).toMatchObject({ message: { status: 'ACKNOWLEDGED' }, answer: { body: 'noon' } })
    expect(await post.receive(ann)).toMatchObject([
      { kind: 'RESPONSE', requestId: id, body: 'noon', from: { name: 'bob' }, priority: 'HIGH' },
    ])
    expect(await post.receive(bob)).toEqual([])
    expect(await endOverdueMessages(world.data)).toBe(0)
  })

  test('that nobody answers in time is dead, whether it was read or not', async () => {
    const id = await post.ask(ann, { agent: 'bob' }, 'anybody?', { timeoutSeconds: 60 })
    await post.acknowledge(bob, [(await post.receive(bob))[0]?.id ?? ''])
    const unread = await post.ask(ann, { agent: 'bob' }, 'anybody there?', { timeoutSeconds: 60 })
    const waiting = post.answerOf(ann, id, 8)
    for (const each of [id, unread]) await endTime(world, each)
    expect(codesOf(await bob.send(RESPOND, { input: { requestId: id, body: 'me' } }))).toEqual([
      'INVALID_STATE',
    ])
    expect(await endOverdueMessages(world.data)).toBe(2)
    expect(await waiting).toMatchObject({
      message: { status: 'DEAD', deadReason: 'UNANSWERED' },
      answer: null,
    })
    expect(await post.receive(bob)).toEqual([])
    for (const each of [id, unread])
      expect(await eventsOf(`message/${each}`)).toEqual(['message.sent', 'message.dead_lettered'])
    expect(codesOf(await bob.send(RESPOND, { input: { requestId: id, body: 'me' } }))).toEqual([
      'INVALID_STATE',
    ])
  })

  test('of a person has its answer under the request, and is answered by nobody else', async () => {
    const person = org.as('operator')
    const id = await post.ask(person, { agent: 'bob' }, 'and now?')
    expect(codesOf(await ann.send(RESPOND, { input: { requestId: id, body: 'mine' } }))).toEqual([
      'NOT_FOUND',
    ])
    await bob.query(RESPOND, { input: { requestId: id, body: 'now' } })
    expect(await post.answerOf(person, id)).toMatchObject({
      message: { from: null },
      answer: { body: 'now', to: null },
    })
    expect(await post.answerOf(ann, id)).toBeNull()
  })
})

describe('a broadcast', () => {
  interface Sent {
    broadcastId: string
    sent: number
    denied: number
    full: number
    created: boolean
    messages: { id: string; to: { name: string } }[]
  }
  const broadcast = async (caller: Caller, input: object): Promise<Sent> =>
    (await caller.query<{ broadcastMessage: Sent }>(BROADCAST, { input })).broadcastMessage
  const names = ({ messages }: Sent) => messages.map(({ to }) => to.name).sort((a, b) => (a < b ? -1 : 1))

  test('reaches every active agent but the sender, or those of a domain, a team or a capability', async () => {
    const firm = await world.organization()
    const admin = firm.as('admin')
    const { createDomain } = await admin.query<{ createDomain: { domain: { id: string } } }>(
      'mutation { createDomain(input: { name: "Support" }) { domain { id } } }',
    )
    const { createTeam } = await admin.query<{ createTeam: { team: { id: string } } }>(
      'mutation($id: ID!) { createTeam(input: { domainId: $id, name: "Chat" }) { team { id } } }',
      { id: createDomain.domain.id },
    )
    const teamId = createTeam.team.id
    const one = await employ('one', { teamId, capabilities: ['talk'] }, firm)
    await employ('two', { teamId, capabilities: ['think'] }, firm)
    const three = await employ('three', { capabilities: ['talk'] }, firm)
    const gone = await employ('gone', { teamId, capabilities: ['talk'] }, firm)
    await admin.query('mutation($id: ID!) { retireAgent(input: { id: $id }) { agent { id } } }', {
      id: gone.agentId,
    })
    await world.asOwner(`update agent set status = 'retired' where id = $1`, [gone.agentId])

    const all = await broadcast(one, { body: 'to all' })
    expect(names(all)).toEqual(['three', 'two'])
    expect(all).toMatchObject({ sent: 2, denied: 0, full: 0, created: true })
    expect(new Set(all.messages.map(({ id }) => id)).size).toBe(2)
    expect(names(await broadcast(admin, { body: 'd', domain: 'Support' }))).toEqual(['one', 'two'])
    expect(names(await broadcast(admin, { body: 't', team: teamId }))).toEqual(['one', 'two'])
    expect(names(await broadcast(admin, { body: 'c', capability: 'talk', domain: 'Support' }))).toEqual([
      'one',
    ])
    expect(codesOf(await admin.send(BROADCAST, { input: { body: 'x', domain: 'Nowhere' } }))).toEqual([
      'NOT_FOUND',
    ])
    expect(bodies(await post.receive(three))).toEqual(['to all'])
    expect(await eventsOf(`broadcast/${all.broadcastId}`)).toEqual(['message.broadcast'])

    const keyed = { body: 'once', idempotencyKey: 'k' }
    const first = await broadcast(admin, keyed)
    expect(await broadcast(admin, keyed)).toEqual({ ...first, created: false })
    expect(codesOf(await admin.send(BROADCAST, { input: { ...keyed, body: 'twice' } }))).toEqual([
      'IDEMPOTENCY_KEY_REUSED',
    ])
  })
})

describe('who waits', () => {
  test('hears of a message as it comes, by a long poll', async () => {
    const fred = await employ('fred')
    const waiting = post.receive(fred, { waitSeconds: 8 })
    await new Promise((resolve) => setTimeout(resolve, 100))
    await post.send(ann, { agent: 'fred' }, 'ring')
    // Unrung it would look again at its end only, and be late.
    const late = new Promise((resolve) => setTimeout(resolve, 5_000, 'late'))
    expect(await Promise.race([waiting.then(bodies), late])).toEqual(['ring'])
  })

  test('by subscription gets what waits, what comes, and again what is not acknowledged', async () => {
    const gina = await employ('gina')
    const early = await post.send(ann, { agent: 'gina' }, 'before')
    const feed = gina.subscribe(
      `subscription { agentInbox(leaseSeconds: 1) { cursor messages { ${MESSAGE} } } }`,
    )
    const next = async (): Promise<Message[]> => {
      const { value } = await feed.next()
      return value.data.agentInbox.messages
    }
    expect(await next()).toMatchObject([{ id: early.id, body: 'before' }])
    await post.acknowledge(gina, [early.id])
    const late = await post.send(ann, { agent: 'gina' }, 'after')
    expect(await next()).toMatchObject([{ id: late.id, deliveries: 1 }])
    expect(await next()).toMatchObject([{ id: late.id, deliveries: 2 }])
    await post.acknowledge(gina, [late.id])
    await feed.return?.()
    expect(await post.receive(gina)).toEqual([])
  })

  test('at all inboxes watches and takes nothing', async () => {
    const hugo = await employ('hugo')
    const feed = org.as('operator').subscribe('subscription { agentInbox { messages { body to { name } } } }')
    const first = feed.next()
    const until = async () => {
      let seen = false
      const heard = first.then(() => (seen = true))
      while (!seen) {
        await post.send(ann, { agent: 'hugo' }, 'watched')
        await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 50))])
      }
    }
    await until()
    const { value } = await first
    expect(value.data.agentInbox.messages).toEqual([{ body: 'watched', to: { name: 'hugo' } }])
    await feed.return?.()
    expect((await post.receive(hugo)).every(({ deliveries }) => deliveries === 1)).toBe(true)
  })
})
