import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Platform, startPlatform } from '../flows/platform.ts'
import { searchFiles, searchTables } from '../flows/search-everywhere.ts'
import { type Mailbox, openMailbox, tokenIn } from './mailbox.ts'

const PATIENCE = { timeout: 60_000, interval: 50 }

const cleanup = new AsyncDisposableStack()
let mailbox: Mailbox
let platform: Platform

beforeAll(async () => {
  mailbox = cleanup.use(await openMailbox())
  platform = cleanup.use(
    await startPlatform('distributed', {
      environment: {
        TUTTI_SMTP_URL: mailbox.url,
        TUTTI_MAIL_FROM: 'tutti@example.com',
        TUTTI_PUBLIC_URL: 'https://tutti.example.com',
        LOG_LEVEL: 'trace',
      },
    }),
  )
})
afterAll(() => cleanup.disposeAsync())

test('between processes of their own a link is sent, shown and used once, and its token is kept nowhere', async () => {
  await platform.sql(`update principal set email = 'ada@example.com' where 'approver' = any(roles)`)
  const { requestApproval } = await platform
    .as('operator')
    .query<{ requestApproval: { approval: { id: string } } }>(
      `mutation { requestApproval(input: { title: "Send it?", action: "send", arguments: {}, reason: "r",
         stages: [{ roles: ["approver"] }], idempotencyKey: "one" }) { approval { id } } }`,
    )
  await expect.poll(() => mailbox.to('ada@example.com').length, PATIENCE).toBe(1)
  const token = mailbox.mails.map(tokenIn)[0] ?? ''
  expect(token).toHaveLength(43)
  const link = `${platform.url}/decide/${token}`
  const shown = await fetch(link)
  expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(await shown.text()).toContain('Send it?')
  const decide = async () => {
    const response = await fetch(link, { method: 'POST', body: new URLSearchParams({ decision: 'APPROVE' }) })
    return response.status
  }
  expect((await Promise.all([decide(), decide(), decide()])).sort((a, b) => a - b)).toEqual([200, 404, 404])
  const { approval } = await platform
    .as('admin')
    .query<{ approval: object }>(
      'query ($id: ID!) { approval(id: $id) { status decisions { decidedBy { name } } } }',
      { id: requestApproval.approval.id },
    )
  expect(approval).toMatchObject({ status: 'APPROVED', decisions: [{ decidedBy: expect.anything() }] })

  const tables = await searchTables(platform, [token])
  expect([tables.found, tables.looked > 30]).toEqual([[], true])
  const files = searchFiles(platform, [token])
  expect([files.found, files.looked > 0]).toEqual([[], true])
})
