import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Mailbox, openMailbox, tokenIn } from '../governance/mailbox.ts'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { type Browser, hasChromium, openBrowser } from './open-browser.ts'

const PATIENCE = { timeout: 60_000, interval: 50 }

const cleanup = new AsyncDisposableStack()
let mailbox: Mailbox
let world: World
let browser: Browser
let org: Organization

beforeAll(async () => {
  if (!hasChromium) return
  mailbox = cleanup.use(await openMailbox())
  world = cleanup.use(
    await startWorld({ workers: true, smtpUrl: mailbox.url, publicUrl: 'https://tutti.example.com' }),
  )
  browser = cleanup.use(await openBrowser())
  org = await world.organization()
  await world.asOwner('update principal set email = $3 where organization_id = $1 and id = $2', [
    org.id,
    org.actor('approver').id,
    'ada@example.com',
  ])
}, 120_000)
afterAll(() => cleanup.disposeAsync())

/** Asks, and opens the page that the approver is sent, alone with what this machine has. */
async function openPage(title: string): Promise<{ id: string; page: Page; elsewhere: string[] }> {
  const { requestApproval } = await org
    .as('operator')
    .query<{ requestApproval: { approval: { id: string } } }>(
      'mutation ($input: RequestApprovalInput!) { requestApproval(input: $input) { approval { id } } }',
      {
        input: {
          title,
          action: 'refund',
          arguments: { order: 4711, amount: 900 },
          preview: { balance: { before: 1200, after: 300 } },
          reason: 'Delivered broken.',
          idempotencyKey: title,
        },
      },
    )
  const mail = () => mailbox.mails.find(({ subject }) => subject.includes(title))
  await expect.poll(mail, PATIENCE).toBeDefined()
  const told = mail()
  const page = await browser.context.newPage()
  const elsewhere: string[] = []
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== world.url) elsewhere.push(request.url())
  })
  await page.goto(`${world.url}/decide/${told && tokenIn(told)}`)
  return { id: requestApproval.approval.id, page, elsewhere }
}

const decided = async (id: string) => {
  const { approval } = await org
    .as('viewer')
    .query<{ approval: object }>('query ($id: ID!) { approval(id: $id) { status comment } }', { id })
  return approval
}

test.skipIf(!hasChromium)(
  'by keyboard alone and without a script a person asks for changes, and only then has to say which',
  { timeout: 120_000 },
  async () => {
    const { id, page, elsewhere } = await openPage('Refund order 4711?')
    expect(await page.locator('h1').innerText()).toBe('Refund order 4711?')
    expect(await page.getByLabel('Comment').getAttribute('id')).toBe('comment')
    expect(await page.locator('tr').allInnerTexts()).toEqual(['What\tBefore\tAfter', 'balance\t1200\t300'])
    const focused = () => page.locator(':focus').innerText()
    const isInComment = async () => (await page.locator('#comment:focus').count()) === 1
    await page.keyboard.press('Tab')
    expect(await isInComment()).toBe(true)
    for (const name of ['Approve', 'Reject', 'Ask for changes']) {
      await page.keyboard.press('Tab')
      expect(await focused()).toBe(name)
    }
    await page.keyboard.press('Enter')
    // The browser keeps the form back: it wants the comment.
    await expect.poll(isInComment, PATIENCE).toBe(true)
    expect(await decided(id)).toMatchObject({ status: 'PENDING' })
    await page.keyboard.type('Half of it.')
    for (let n = 0; n < 3; n += 1) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await expect
      .poll(() => page.locator('h1').innerText(), PATIENCE)
      .toBe('It goes back to who asked, with your comment.')
    expect(await decided(id)).toEqual({ status: 'CHANGES_REQUESTED', comment: 'Half of it.' })
    expect(elsewhere).toEqual([])
    await page.goto(page.url())
    expect(await page.locator('h1').innerText()).toBe('This link opens nothing')
  },
)

test.skipIf(!hasChromium)('a yes needs no comment', { timeout: 120_000 }, async () => {
  const { id, page } = await openPage('Refund order 4712?')
  await page.getByRole('button', { name: 'Approve' }).press('Space')
  await expect.poll(() => page.locator('h1').innerText(), PATIENCE).toBe('Your yes counts.')
  expect(await decided(id)).toEqual({ status: 'APPROVED', comment: null })
})
