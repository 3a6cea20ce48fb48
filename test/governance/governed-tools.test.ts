import { type ChatServer, startChatServer } from '@tutti/workers/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyWorkflow, decide, readRun, registerAgent, startRuns } from '../flows/operations.ts'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'
import { enforce } from './enforce.ts'

const PATIENCE = { timeout: 20_000, interval: 50 }
const SEARCH = { name: 'search_knowledge', input: { query: 'refund' } }

const cleanup = new AsyncDisposableStack()
let world: World
let server: ChatServer
/** A model that looks something up and then answers. */
beforeAll(async () => {
  server = cleanup.use(
    await startChatServer(({ body }) =>
      body.includes('"role":"tool"')
        ? { content: 'Found.' }
        : { calls: body.includes('twice') ? [SEARCH, SEARCH] : [SEARCH] },
    ),
  )
  world = cleanup.use(await startWorld({ workers: true }))
})
afterAll(() => cleanup.disposeAsync())

/** An organization with that model, and a run of an agent that asks it. */
async function ask(
  policy: object,
  word = 'refund',
): Promise<{ org: Organization; id: string; before: number }> {
  const org = await world.organization()
  const admin = org.as('admin')
  await admin.query(
    'mutation($input: SetCredentialInput!) { setCredential(input: $input) { credential { id } } }',
    {
      input: { name: 'provider/local', provider: 'local', value: 'key-of-its-own', origins: [server.origin] },
    },
  )
  await admin.query('mutation($input: SetModelInput!) { setModel(input: $input) { model { id } } }', {
    input: { provider: 'local', name: 'llama', contextTokens: 8_000, maxOutputTokens: 2_000 },
  })
  await registerAgent(
    org.as('operator'),
    `metadata: { name: looker, type: support.search, version: "1" }
ai_models: { primary: local/llama }
executor: { type: model, instructions: Look it up., tools: [search_knowledge] }`,
  )
  await enforce(org, { kind: 'ACCESS', actions: ['tool.call'], ...policy })
  const workflowId = await applyWorkflow(org.as('operator'), {
    format: 'tutti/1',
    name: 'look',
    inputs: ['word'],
    steps: [{ name: 'look', agent: 'looker', input: ['word'], output: 'found' }],
  })
  const before = server.requests.length
  const [id = ''] = await startRuns(org.as('operator'), workflowId, [{ word }])
  return { org, id, before }
}

const status = async (org: Organization, id: string) => (await readRun(org.as('viewer'), id)).status

test('a call of a tool waits for a person where a policy says so, and then goes through once', async () => {
  const { org, id } = await ask({
    name: 'Searches are looked at',
    effect: 'REQUIRE_APPROVAL',
    condition: "resource.name == 'search_knowledge'",
    stages: [{ roles: ['approver'] }],
  })
  const approval = async () => (await readRun(org.as('viewer'), id)).tasks[0]?.approval ?? undefined
  await expect.poll(approval, PATIENCE).toBeDefined()
  const asked = await approval()
  expect(asked).toMatchObject({ title: 'looker: tool search_knowledge', arguments: SEARCH.input })
  await decide(org.as('approver'), asked?.id ?? '', 'APPROVE')
  await expect.poll(() => status(org, id), PATIENCE).toBe('COMPLETED')
  const uses = await world.asOwner(
    `select from log.event where organization_id = $1 and type = 'approval.used'`,
    [org.id],
  )
  expect(uses).toHaveLength(1)
})

test('a call that goes back for changes is made with what was asked anew and approved', async () => {
  const { org, id, before } = await ask({
    name: 'Searches are looked at',
    effect: 'REQUIRE_APPROVAL',
    stages: [{ roles: ['approver'] }],
  })
  await org
    .as('admin')
    .query('mutation($input: PublishArticlesInput!) { publishArticles(input: $input) { articles { id } } }', {
      input: {
        articles: [{ externalId: 'w', title: 'Warranty', body: 'Two years.', language: 'en' }],
      },
    })
  const approval = async () => (await readRun(org.as('viewer'), id)).tasks[0]?.approval ?? undefined
  await expect.poll(approval, PATIENCE).toBeDefined()
  const asked = (await approval())?.id ?? ''
  await decide(org.as('approver'), asked, 'REQUEST_CHANGES', { comment: 'Ask for the warranty.' })
  const { resubmitApproval } = await org
    .as('operator')
    .query<{ resubmitApproval: { approval: { digest: string; status: string } } }>(
      'mutation($input: ResubmitApprovalInput!) { resubmitApproval(input: $input) { approval { digest status } } }',
      { input: { id: asked, arguments: { query: 'warranty' } } },
    )
  expect(resubmitApproval.approval.status).toBe('PENDING')
  const { digest } = resubmitApproval.approval
  expect(server.requests.slice(before)).toHaveLength(1)
  await decide(org.as('approver'), asked, 'APPROVE', { digest })
  await expect.poll(() => status(org, id), PATIENCE).toBe('COMPLETED')
  const [, again, found] = server.requests.slice(before)
  expect(again?.body).not.toContain('Two years.')
  expect(found?.body).toContain('Two years.')
  const uses = await world.asOwner<{ digest: string }>(
    `select data->>'digest' as digest from log.event where organization_id = $1 and type = 'approval.used'`,
    [org.id],
  )
  expect(uses).toEqual([{ digest }])
})

test('the same call once more is another call: one yes is not good for both', async () => {
  const { org, id } = await ask(
    { name: 'Each is looked at', effect: 'REQUIRE_APPROVAL', stages: [{ roles: ['approver'] }] },
    'twice',
  )
  const open = async () => {
    const { run } = await org
      .as('viewer')
      .query<{ run: { approvals: { id: string; status: string }[] } }>(
        'query($id: ID!) { run(id: $id) { approvals { id status } } }',
        { id },
      )
    return run.approvals.find(({ status: state }) => state === 'PENDING')?.id
  }
  for (const _ of [SEARCH, SEARCH]) {
    await expect.poll(open, PATIENCE).toBeDefined()
    await decide(org.as('approver'), (await open()) ?? '', 'APPROVE')
  }
  await expect.poll(() => status(org, id), PATIENCE).toBe('COMPLETED')
  const uses = await world.asOwner<{ id: string }>(
    `select distinct data->>'approvalId' as id from log.event where organization_id = $1 and type = 'approval.used'`,
    [org.id],
  )
  expect(uses).toHaveLength(2)
})

test('a call that a policy forbids is not made: the model is told, and so is the record', async () => {
  const { org, id, before } = await ask({ name: 'No searches', effect: 'DENY' })
  await expect.poll(() => status(org, id), PATIENCE).toBe('COMPLETED')
  const [, second] = server.requests.slice(before)
  expect(second?.body).toContain('You may not call it so')
  const denials = await world.asOwner<{ outcome: string }>(
    `select outcome from audit_entry where organization_id = $1 and action_type = 'denial'`,
    [org.id],
  )
  expect(denials).toEqual([{ outcome: 'denied' }])
})
