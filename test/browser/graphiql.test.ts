import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { Organization } from '../world/organization.ts'
import { startWorld } from '../world/start-world.ts'
import { hasChromium, openBrowser } from './open-browser.ts'

const AGENT = `
metadata: { name: reader, type: service.sentiment, version: 1.0.0 }
executor: { type: builtin, function: sentiment }
`
const WORKFLOW = `
name: read
inputs: [message]
steps:
  - { name: read_it, agent: reader, input: message, output: mood }
`
const START =
  'mutation { startRun(input: { workflowName: "read", input: { message: "fine" } }) { run { id } } }'

const TABS = ['RunsWithTasks', 'WatchTasks', 'DecideAnEscalation', 'WatchIncidents', 'StartAndCancel']

/** Puts the key into the headers editor of the tab that is open, as a person who selects all and pastes. */
async function setKey(page: Page, key: string | null): Promise<void> {
  await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden) .monaco-editor').click()
  await page.keyboard.press('ControlOrMeta+A')
  const headers = JSON.stringify({ authorization: `Bearer ${key}` })
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(headers)})`)
  await page.keyboard.press('ControlOrMeta+V')
}

/** What the response pane shows; the editor draws its blanks as no-break spaces. */
const response = (page: Page) => async (): Promise<string> =>
  (await page.locator('.result-window .view-lines').innerText()).replaceAll('\u00a0', ' ')

async function prepare(org: Organization): Promise<void> {
  const operator = org.as('operator')
  for (const [mutation, document] of [
    ['registerAgent', AGENT],
    ['applyWorkflow', WORKFLOW],
  ])
    await operator.query(`mutation($d: String!) { ${mutation}(input: { document: $d }) { changed } }`, {
      d: document,
    })
}

test.skipIf(!hasChromium)(
  'a newcomer opens the page, puts in a key, sees runs, and watches the tasks of a run that starts',
  { timeout: 120_000 },
  async () => {
    await using world = await startWorld({ workers: true })
    const org = await world.organization()
    await prepare(org)
    const operator = org.as('operator')
    await operator.query(START)

    await using browser = await openBrowser()
    const elsewhere: string[] = []
    await browser.context.route(
      (url) => /^(https?|wss?):$/.test(url.protocol) && url.origin !== world.url,
      (route) => {
        elsewhere.push(route.request().url())
        return route.abort()
      },
    )
    await browser.context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const page = await browser.context.newPage()
    await page.goto(`${world.url}/graphql`)
    const tab = (name: string) => page.locator('.graphiql-tab-button', { hasText: name })
    const execute = () => page.locator('.graphiql-execute-button').click()
    const patient = { timeout: 30_000, interval: 200 }
    for (const name of TABS) await tab(name).waitFor()

    await setKey(page, operator.key)
    await execute()
    await expect.poll(response(page), patient).toContain('"name": "read"')
    expect(await response(page)()).not.toContain('"errors"')

    await tab('WatchTasks').click()
    await setKey(page, operator.key)
    await execute()
    // The page does not say when the subscription stands: runs are started until one is seen.
    const seen = async (): Promise<string> => {
      await operator.query(START)
      return response(page)()
    }
    await expect.poll(seen, patient).toContain('"type": "task.')
    expect(elsewhere).toEqual([])
  },
)
