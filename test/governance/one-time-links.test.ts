import { deleteOldLinks, deleteOldNotifications } from '@tutti/governance/domain'
import type { Role } from '@tutti/schema'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { type Mail, type Mailbox, openMailbox, tokenIn } from './mailbox.ts'
import { openReceiver, type Received, type Receiver } from './receiver.ts'

const PATIENCE = { timeout: 60_000, interval: 50 }

let mailbox: Mailbox
let receiver: Receiver
let world: World
let org: Organization

beforeAll(async () => {
  mailbox = await openMailbox()
  receiver = await openReceiver()
  world = await startWorld({
    workers: true,
    smtpUrl: mailbox.url,
    publicUrl: 'https://tutti.example.com/door',
  })
})
afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
  await mailbox[Symbol.asyncDispose]()
})
beforeEach(async () => {
  org = await world.organization()
  for (const role of ['admin', 'approver', 'operator'] as const) await setEmail(role, addressOf(role))
})

const addressOf = (role: Role): string => `${role}.${org.id}@example.com`
const setEmail = (role: Role, email: string) =>
  world.asOwner('update principal set email = $3 where organization_id = $1 and id = $2', [
    org.id,
    org.actor(role).id,
    email,
  ])

async function ask(more: object = {}, by: Role = 'operator'): Promise<{ id: string; digest: string }> {
  const { requestApproval } = await org
    .as(by)
    .query<{ requestApproval: { approval: { id: string; digest: string } } }>(
      'mutation ($input: RequestApprovalInput!) { requestApproval(input: $input) { approval { id digest } } }',
      {
        input: {
          title: 'Refund order 4711?',
          action: 'refund',
          arguments: { order: 4711, amount: 900 },
          preview: { balance: 300 },
          reason: 'Delivered broken.',
          idempotencyKey: crypto.randomUUID(),
          ...more,
        },
      },
    )
  return requestApproval.approval
}
async function mailTo(role: Role, least = 1): Promise<Mail> {
  await expect.poll(() => mailbox.to(addressOf(role)).length, PATIENCE).toBeGreaterThanOrEqual(least)
  const mail = mailbox.to(addressOf(role))[least - 1]
  if (!mail) throw new Error('A mail is gone.')
  return mail
}
async function linkOf(role: Role, least = 1): Promise<string> {
  const mail = await mailTo(role, least)
  expect(mail.text).toContain('https://tutti.example.com/door/decide/')
  return `${world.url}/decide/${tokenIn(mail)}`
}
const open = async (link: string) => {
  const response = await fetch(link)
  return { status: response.status, headers: response.headers, text: await response.text() }
}
const send = async (link: string, fields: Record<string, string>) => {
  const response = await fetch(link, { method: 'POST', body: new URLSearchParams(fields) })
  return { status: response.status, text: await response.text() }
}
const statusOf = async (id: string) => {
  const { approval } = await org.as('admin').query<{
    approval: {
      status: string
      decisions: { comment: string | null; decidedBy: { id: string }; onBehalfOf: { id: string } | null }[]
    }
  }>('query ($id: ID!) { approval(id: $id) { status decisions { comment decidedBy { id } onBehalfOf { id } } } }', { id })
  return approval
}
/** Whose links were refused. */
const deniedByLink = async () =>
  (
    await world.asOwner<{ id: string }>(
      `select actor_id as id from audit_entry where organization_id = $1 and action_type = 'denial'
         and subject = 'operation/Mutation.decideApproval' and outcome = 'NOT_FOUND'`,
      [org.id],
    )
  ).map(({ id }) => id)
const unknown = () => open(`${world.url}/decide/${'A'.repeat(43)}`)

const SIGNING = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** A person has themselves told at the receiver, under a path of their own, and not by mail. */
async function setPlace(role: Role, kind: 'CHAT' | 'WEBHOOK'): Promise<string> {
  const path = `/${kind.toLowerCase()}/${org.actor(role).id}`
  if (kind === 'WEBHOOK')
    await org
      .as('admin')
      .query(
        'mutation ($input: SetCredentialInput!) { setCredential(input: $input) { credential { id } } }',
        { input: { name: 'signing', value: SIGNING } },
      )
  await org
    .as(role)
    .query(
      'mutation ($input: SetNotificationChannelInput!) { setNotificationChannel(input: $input) { channel { id } } }',
      {
        input: {
          ownerKind: 'PERSON',
          owner: org.actor(role).id,
          kind,
          address: `${receiver.url}${path}`,
          credential: kind === 'WEBHOOK' ? 'signing' : null,
        },
      },
    )
  return path
}
/** What came to a path, once there are so many; what failed is tried again at once. */
async function received(path: string, least = 1): Promise<Received[]> {
  const came = async () => {
    await world.asOwner(
      `update notification set next_at = now() where organization_id = $1 and status = 'pending' and last_error is not null`,
      [org.id],
    )
    return receiver.to(path).length
  }
  await expect.poll(came, PATIENCE).toBeGreaterThanOrEqual(least)
  return receiver.to(path)
}
const inChat = ({ body }: Received) => {
  const { text } = JSON.parse(body) as { text: string }
  const link = /https:\/\/tutti\.example\.com\/door(\/decide\/[\w-]{43})$/m.exec(text)?.[1]
  return { text, link: `${world.url}${link}` }
}
const inHook = ({ body, headers }: Received) => {
  const verified = new Webhook(SIGNING).verify(body, {
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  }) as { type: string; data: { link: string; approvalId?: string } }
  const link = verified.data.link.replace('https://tutti.example.com/door', world.url)
  return { ...verified, link, id: headers['webhook-id'] }
}

describe('by chat and by signed webhook', () => {
  test('an approval is decided by the link of the chat, and that of the webhook is dead then', async () => {
    const [chat, hook] = [await setPlace('approver', 'CHAT'), await setPlace('admin', 'WEBHOOK')]
    const { id } = await ask()
    const [said] = (await received(chat)).map(inChat)
    const [told] = (await received(hook)).map(inHook)
    expect(said?.text).toMatch(/^\*To decide: Refund order 4711\?\*\nAction [^]*\n> Delivered broken\.$/)
    expect(told).toMatchObject({ type: 'approval.waiting', data: { approvalId: id } })
    expect((await open(told?.link ?? '')).status).toBe(200)
    expect((await send(said?.link ?? '', { decision: 'REJECT', comment: 'No.' })).status).toBe(200)
    for (const dead of [said?.link ?? '', told?.link ?? '']) {
      expect((await open(dead)).status).toBe(404)
      expect((await send(dead, { decision: 'APPROVE' })).status).toBe(404)
    }
    expect(await statusOf(id)).toMatchObject({
      status: 'REJECTED',
      decisions: [{ comment: 'No.', decidedBy: { id: org.actor('approver').id } }],
    })
    expect([mailbox.to(addressOf('approver')), mailbox.to(addressOf('admin'))]).toEqual([[], []])
  })

  test('what the other side did not take is told again under the same id, and all its links decide once', async () => {
    const hook = await setPlace('approver', 'WEBHOOK')
    receiver.willAnswer(hook, [500, 'cut'])
    const { id } = await ask({ stages: [{ people: [org.actor('approver').id] }] })
    const tries = (await received(hook, 3)).map(inHook)
    expect(new Set(tries.map((each) => each.id)).size).toBe(1)
    expect(new Set(tries.map(({ link }) => link)).size).toBe(3)
    const answers = await Promise.all(tries.map(({ link }) => send(link, { decision: 'APPROVE' })))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404, 404])
    expect((await statusOf(id)).decisions).toHaveLength(1)
  })

  test('a link is dead from the deadline of its approval on', async () => {
    const chat = await setPlace('approver', 'CHAT')
    const { id } = await ask({ stages: [{ people: [org.actor('approver').id], deadlineSeconds: 3_600 }] })
    const [said] = (await received(chat)).map(inChat)
    const [link] = await world.asOwner<{ ends: Date }>(
      `select l.expires_at as ends from decision_link l join approval a on l.subject = 'approval/' || a.id
       where a.organization_id = $1 and a.id = $2 and l.expires_at = a.expires_at`,
      [org.id, id],
    )
    expect(link).toBeDefined()
    await world.asOwner('update approval set expires_at = now() where organization_id = $1 and id = $2', [
      org.id,
      id,
    ])
    expect((await send(said?.link ?? '', { decision: 'APPROVE' })).status).toBe(404)
    expect((await statusOf(id)).decisions).toEqual([])
  })

  test('an escalation is taken on once, and not when it is others’ turn or settled', async () => {
    const chat = await setPlace('approver', 'CHAT')
    await escalateTo('approver')
    const one = await escalated()
    const [said] = (await received(chat)).map(inChat)
    expect(said?.text).toContain('*Escalation (person): Nobody decided in time: Refund order 4711?*')
    await org
      .as('admin')
      .query(
        'mutation ($id: ID!, $to: ID!) { reassignEscalation(input: { id: $id, to: $to, reason: "Yours." }) { escalation { id } } }',
        {
          id: one,
          to: org.actor('operator').id,
        },
      )
    expect((await send(said?.link ?? '', { decision: 'ACKNOWLEDGE' })).status).toBe(404)

    const two = await escalated()
    const [, again] = (await received(chat, 2)).map(inChat)
    expect((await send(again?.link ?? '', { decision: 'ACKNOWLEDGE' })).status).toBe(200)
    expect((await send(again?.link ?? '', { decision: 'ACKNOWLEDGE' })).status).toBe(404)
    const { escalations } = await org
      .as('viewer')
      .query<{ escalations: { nodes: { id: string; status: string; approval: { id: string } }[] } }>(
        '{ escalations { nodes { id status approval { id } } } }',
      )
    expect(escalations.nodes.map(({ id, status }) => [id, status])).toEqual([
      [one, 'OPEN'],
      [two, 'ACKNOWLEDGED'],
    ])

    const three = await escalated()
    const [, , last] = (await received(chat, 3)).map(inChat)
    const decided = await org
      .as('viewer')
      .query<{ escalation: { approval: { id: string } } }>(
        'query ($id: ID!) { escalation(id: $id) { approval { id } } }',
        { id: three },
      )
    await org
      .as('admin')
      .query(
        'mutation ($id: ID!) { decideApproval(input: { id: $id, decision: REJECT }) { approval { id } } }',
        {
          id: decided.escalation.approval.id,
        },
      )
    expect((await open(last?.link ?? '')).status).toBe(404)
    expect((await send(last?.link ?? '', { decision: 'ACKNOWLEDGE' })).status).toBe(404)
  })
})

/** Has one person alone be responsible for what is escalated. */
const escalateTo = (role: Role) =>
  org.as('admin').query(
    `mutation ($id: String!) { setEscalationPolicy(input: { levels: [{ level: PERSON, responsible: { kind: PERSON, name: $id },
       acknowledgeWithinSeconds: 3600, resolveWithinSeconds: 7200 }] }) { policy { id } } }`,
    { id: org.actor(role).id },
  )
/** The id of a new escalation: nobody decides an approval in time. */
async function escalated(): Promise<string> {
  const stages = [{ roles: ['viewer'], deadlineSeconds: 60, onDeadline: 'ESCALATE' }]
  const { id } = await ask({ stages })
  await world.asOwner('update approval set expires_at = now() where organization_id = $1 and id = $2', [
    org.id,
    id,
  ])
  const found = async () =>
    (
      await world.asOwner<{ id: string }>(
        'select id from escalation where organization_id = $1 and approval_id = $2',
        [org.id, id],
      )
    )[0]?.id
  await expect.poll(found, PATIENCE).toBeDefined()
  return (await found()) ?? expect.unreachable()
}

describe('an approval by its link', () => {
  test('is shown as it is asked, by itself changed by nothing, and decided once', async () => {
    const { id, digest } = await ask()
    const link = await linkOf('approver')
    const page = await open(link)
    expect(page.status).toBe(200)
    for (const word of [
      'Refund order 4711?',
      'refund',
      '&quot;amount&quot;: 900',
      '&quot;balance&quot;: 300',
      digest,
    ])
      expect(page.text).toContain(word)
    expect(page.text).toContain('Delivered broken.')
    expect(page.text).toContain('decision (1 of 1): 0 of 1 said yes')
    expect(page.text).toContain(org.actor('operator').name)
    expect(page.text).not.toContain('<script')
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-\S+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    )
    expect(
      ['referrer-policy', 'cache-control', 'x-frame-options'].map((name) => page.headers.get(name)),
    ).toEqual(['no-referrer', 'no-store', 'DENY'])
    await open(link)
    expect(await statusOf(id)).toEqual({ status: 'PENDING', decisions: [] })

    expect((await send(link, { decision: 'MAYBE' })).status).toBe(400)
    expect((await send(link, { decision: 'ACKNOWLEDGE' })).status).toBe(400)
    expect((await send(link, { decision: 'APPROVE', comment: 'x'.repeat(10_001) })).status).toBe(400)
    expect(await statusOf(id)).toEqual({ status: 'PENDING', decisions: [] })
    expect((await send(link, { decision: 'APPROVE', comment: 'As agreed.' })).status).toBe(200)
    expect(await statusOf(id)).toEqual({
      status: 'APPROVED',
      decisions: [{ comment: 'As agreed.', decidedBy: { id: org.actor('approver').id }, onBehalfOf: null }],
    })

    const gone = await unknown()
    expect(gone.status).toBe(404)
    const others = await linkOf('admin')
    for (const used of [link, others]) {
      expect(await open(used)).toMatchObject({ status: 404, text: gone.text })
      expect(await send(used, { decision: 'REJECT' })).toEqual({ status: 404, text: gone.text })
    }
    // Whose own was used is refused, and that is on record; what others have settled is no denial.
    expect(await deniedByLink()).toEqual([org.actor('approver').id, org.actor('approver').id])
    const { auditEntries } = await org.as('admin').query<{
      auditEntries: { nodes: { details: { context: { byLink: string } } }[] }
    }>('query ($subject: String!) { auditEntries(subject: $subject, actionType: "decision") { nodes { details } } }', { subject: `approval/${id}` })
    const byLink = auditEntries.nodes[0]?.details.context.byLink
    expect(
      await world.asOwner('select 1 from decision_link where organization_id = $1 and id::text = $2', [
        org.id,
        byLink,
      ]),
    ).toHaveLength(1)
    const token = link.split('/').at(-1)
    const kept = await world.asOwner(
      `select 1 from audit_entry t where organization_id = $1 and t::text like $2
       union all select 1 from log.event t where organization_id = $1 and t::text like $2
       union all select 1 from notification t where organization_id = $1 and t::text like $2
       union all select 1 from decision_link t where organization_id = $1 and t::text like $2`,
      [org.id, `%${token}%`],
    )
    expect(kept).toEqual([])
  })

  test('is decided by one of many that come at once', async () => {
    const { id } = await ask()
    const link = await linkOf('approver')
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => send(link, { decision: index % 2 ? 'APPROVE' : 'REJECT' })),
    )
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 9 }, () => 404),
    ])
    expect((await statusOf(id)).decisions).toHaveLength(1)
  })

  test('counts for its stage like every decision, each person once', async () => {
    const { id } = await ask({ stages: [{ needed: 2, roles: ['approver', 'admin'] }] })
    expect((await send(await linkOf('approver'), { decision: 'APPROVE' })).status).toBe(200)
    expect(await statusOf(id)).toMatchObject({ status: 'PENDING', decisions: [{ comment: null }] })
    expect((await send(await linkOf('admin'), { decision: 'REJECT' })).status).toBe(200)
    expect(await statusOf(id)).toMatchObject({ status: 'REJECTED' })
  })

  test('shows what is asked as text, whatever it says', async () => {
    await ask({
      title: '<script>alert(1)</script>',
      arguments: { note: '</pre><img src=x onerror=alert(1)>"\'&', turned: 'a\u202Eb' },
      reason: '<b>now</b>',
    })
    const { text } = await open(await linkOf('approver'))
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(text).toContain('&lt;/pre&gt;&lt;img src=x')
    expect(text).toContain('a\\u{202e}b')
    expect(text).not.toMatch(/<script|<img|<b>|\u202E/)
  })

  test('opens nothing for who may decide no more, when it is over, and when it is asked anew with the same', async () => {
    const { id } = await ask()
    const link = await linkOf('approver')
    const roles = async (value: string[]) =>
      world.asOwner('update principal set roles = $3 where organization_id = $1 and id = $2', [
        org.id,
        org.actor('approver').id,
        value,
      ])
    await roles(['viewer'])
    expect((await open(link)).status).toBe(404)
    expect((await send(link, { decision: 'APPROVE' })).status).toBe(404)
    expect(await deniedByLink()).toHaveLength(2)
    await roles(['approver'])
    expect((await open(link)).status).toBe(200)
    await world.asOwner('update decision_link set expires_at = now() where organization_id = $1', [org.id])
    expect((await send(link, { decision: 'APPROVE' })).status).toBe(404)
    await world.asOwner(
      `update decision_link set expires_at = now() + interval '1 hour' where organization_id = $1`,
      [org.id],
    )
    await org
      .as('admin')
      .query(
        'mutation ($id: ID!) { decideApproval(input: { id: $id, decision: REQUEST_CHANGES, comment: "Why?" }) { approval { id } } }',
        { id },
      )
    expect((await open(link)).status).toBe(404)
    await org
      .as('operator')
      .query(
        'mutation ($id: ID!, $arguments: JSON!) { resubmitApproval(input: { id: $id, arguments: $arguments }) { approval { id } } }',
        { id, arguments: { order: 4711, amount: 900 } },
      )
    expect((await send(link, { decision: 'APPROVE' })).status).toBe(404)
    expect(await statusOf(id)).toMatchObject({ status: 'PENDING' })
    expect((await send(await linkOf('approver', 2), { decision: 'APPROVE' })).status).toBe(200)
    expect(await statusOf(id)).toMatchObject({ status: 'APPROVED' })
  })

  test('goes back to who asked with a comment, and what is asked anew says what changed', async () => {
    const { id } = await ask({ preview: { balance: { before: 1200, after: 300 } } })
    const link = await linkOf('approver')
    const page = await open(link)
    expect(page.text).toContain('<th scope="row">balance</th><td>1200</td><td>300</td>')
    const silent = await send(link, { decision: 'REQUEST_CHANGES', comment: ' \r\n' })
    expect([silent.status, silent.text.includes('Say in the comment what is to be changed.')]).toEqual([
      400,
      true,
    ])
    const comment = 'Half <of> it.\r\nPlease.'
    const unclear = await send(link, { decision: 'MAYBE', comment })
    expect(unclear.text).toContain('>\nHalf &lt;of&gt; it.\nPlease.</textarea>')
    expect(await statusOf(id)).toMatchObject({ status: 'PENDING' })
    expect((await send(link, { decision: 'REQUEST_CHANGES', comment })).status).toBe(200)
    expect((await send(link, { decision: 'APPROVE' })).status).toBe(404)
    expect(await statusOf(id)).toMatchObject({
      status: 'CHANGES_REQUESTED',
      decisions: [{ comment: 'Half <of> it.\nPlease.' }],
    })
    await org.as('operator').query(
      `mutation ($id: ID!, $arguments: JSON!) {
         resubmitApproval(input: { id: $id, arguments: $arguments }) { approval { id } } }`,
      { id, arguments: { order: 4711, amount: 450, note: 'half' } },
    )
    const anew = await open(await linkOf('approver', 2))
    expect(anew.text).toContain(
      '<th scope="row">amount</th><td>900</td><td>450</td></tr><tr><th scope="row">note</th><td></td><td>half</td>',
    )
    expect(anew.text).not.toContain('<th scope="row">order</th>')
    expect(anew.text).toContain(`${org.actor('approver').name}: changes wanted. Half &lt;of&gt; it.`)
  })

  test('is not sent to who asked, and not where several are told', async () => {
    await setEmail('approver', addressOf('operator'))
    await setEmail('operator', addressOf('operator'))
    await ask({ stages: [{ people: [org.actor('approver').id, org.actor('operator').id] }] }, 'admin')
    const shared = await mailTo('operator')
    expect(shared.subject).toBe('To decide: Refund order 4711?')
    expect(tokenIn(shared)).toBeNull()
    await ask({ title: 'By the admin', idempotencyKey: 'second' }, 'admin')
    await expect.poll(() => mailbox.to(addressOf('operator')).length, PATIENCE).toBe(2)
    expect(mailbox.to(addressOf('admin'))).toEqual([])
  })

  test('is sent to the delegate, who decides for whose right it is', async () => {
    const approver = org.actor('approver').id
    await org.as('approver').query(
      `mutation ($to: ID!, $until: DateTime!) { delegateApprovals(input: { to: $to, until: $until, actions: ["refund"] }) {
         delegation { id } } }`,
      { to: org.actor('admin').id, until: new Date(Date.now() + 86_400_000).toISOString() },
    )
    const { id } = await ask({ stages: [{ people: [approver] }] })
    expect((await send(await linkOf('admin'), { decision: 'APPROVE' })).status).toBe(200)
    expect(await statusOf(id)).toMatchObject({
      status: 'APPROVED',
      decisions: [{ decidedBy: { id: org.actor('admin').id }, onBehalfOf: { id: approver } }],
    })
  })

  test('is sent to who has the role by assignment alone, and decides by it', async () => {
    await setEmail('viewer', addressOf('viewer'))
    await org.as('admin').query(
      `mutation ($id: ID!) {
         setRole(input: { name: "legal", description: "Decides.", scopes: ["approvals:decide"] }) { role { name } }
         assignRole(input: { role: "legal", principalId: $id }) { assignment { id } } }`,
      { id: org.actor('viewer').id },
    )
    const { id } = await ask({ stages: [{ roles: ['legal'] }] })
    expect((await send(await linkOf('viewer'), { decision: 'APPROVE' })).status).toBe(200)
    expect(await statusOf(id)).toMatchObject({ status: 'APPROVED' })
  })

  test('is told of again when its deadline comes near', async () => {
    const { id } = await ask({
      stages: [{ people: [org.actor('approver').id], deadlineSeconds: 7200, reminderSeconds: 60 }],
    })
    await mailTo('approver')
    await world.asOwner('update approval set remind_at = now() where organization_id = $1 and id = $2', [
      org.id,
      id,
    ])
    expect((await mailTo('approver', 2)).subject).toBe('Still to decide: Refund order 4711?')
    expect((await send(await linkOf('approver', 2), { decision: 'REJECT' })).status).toBe(200)
    expect((await open(await linkOf('approver'))).status).toBe(404)
  })
})

test('an escalation is taken on by its link, and that nobody answered it is told', async () => {
  await escalateTo('approver')
  const policy = { stages: [{ roles: ['operator'], deadlineSeconds: 60, onDeadline: 'ESCALATE' }] }
  const { id } = await ask(policy, 'admin')
  await world.asOwner('update approval set expires_at = now() where organization_id = $1 and id = $2', [
    org.id,
    id,
  ])
  const mail = await mailTo('approver')
  expect(mail.subject).toBe('Escalation (person): Nobody decided in time: Refund order 4711?')
  const link = await linkOf('approver')
  const page = await open(link)
  expect([page.status, page.text.includes('Take it on')]).toEqual([200, true])
  expect((await send(link, { decision: 'APPROVE' })).status).toBe(400)
  expect((await send(link, { decision: 'ACKNOWLEDGE' })).status).toBe(200)
  expect((await send(link, { decision: 'ACKNOWLEDGE' })).status).toBe(404)
  const taken = await world.asOwner<{ status: string; by: string }>(
    `select status, acknowledged_by->>'id' as by from escalation where organization_id = $1`,
    [org.id],
  )
  expect(taken).toEqual([{ status: 'acknowledged', by: org.actor('approver').id }])
  await world.asOwner('update escalation set resolve_by = now(), due_at = now() where organization_id = $1', [
    org.id,
  ])
  expect((await mailTo('approver', 2)).subject).toMatch(/^Nobody answers an escalation \(person\): /)
})

test('who is to be informed by the matrix is told, without a link, and who did it is not', async () => {
  await org
    .as('admin')
    .query('mutation ($input: SetAuthorityInput!) { setAuthority(input: $input) { matrix { version } } }', {
      input: {
        reason: 'They want to know.',
        entries: [
          { level: 'ENTERPRISE', action: '*', ruling: 'ALONE' },
          { level: 'DOMAIN', action: '*', ruling: 'ALONE' },
          { level: 'DOMAIN', action: 'run.control', ruling: 'INFORM', to: 'domain' },
        ],
      },
    })
  const cancel = 'mutation ($id: ID!) { cancelRun(input: { id: $id }) { run { id } } }'
  for (let twice = 0; twice < 2; twice += 1) await org.as('operator').send(cancel, { id: org.id })
  const mail = await mailTo('approver', 2)
  expect(mail).toMatchObject({
    subject: 'For your information: cancelRun',
    text: expect.stringMatching(/operator of organization does this.*Action run\.control\./s),
  })
  expect(tokenIn(mail)).toBeNull()
  expect([mailbox.to(addressOf('operator')), mailbox.to(addressOf('admin'))]).toEqual([[], []])
})

test('what was told and links that ended 90 days ago are taken away, and nothing younger', async () => {
  await ask()
  await linkOf('approver')
  await linkOf('admin')
  const settled = async () =>
    (
      await world.asOwner<{ n: number }>(
        `select count(*)::int as n from notification where organization_id = $1 and status = 'delivered'`,
        [org.id],
      )
    )[0]?.n
  await expect.poll(settled, PATIENCE).toBe(2)
  const { database } = world.data
  expect([await deleteOldNotifications({ database }), await deleteOldLinks({ database })]).toEqual([0, 0])
  await world.asOwner(
    `update notification set created_at = now() - interval '91 days' where organization_id = $1 and recipient = $2`,
    [org.id, org.actor('approver').id],
  )
  await world.asOwner(
    `update decision_link set expires_at = now() - interval '91 days' where organization_id = $1 and principal_id = $2`,
    [org.id, org.actor('approver').id],
  )
  expect([await deleteOldNotifications({ database }), await deleteOldLinks({ database })]).toEqual([1, 1])
  expect(await settled()).toBe(1)
})
