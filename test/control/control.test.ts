import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Organization } from '../world/organization.ts'
import { startWorld, type World } from '../world/start-world.ts'

const PATIENCE = { timeout: 20_000, interval: 100 }
let world: World
let org: Organization

beforeAll(async () => {
  world = await startWorld({ workers: true })
  org = await world.organization()
  await org.as('operator').query(APPLY, { d: REVIEW })
})
afterAll(() => world[Symbol.asyncDispose]())

const APPLY = 'mutation($d: String!) { applyWorkflow(input: { document: $d }) { changed workflow { id } } }'
const REVIEW = `
format: tutti/1
name: ask
steps:
  - { name: ask, type: review, question: "Publish?", if_rejected: end }
`
const START = 'mutation { startRun(input: { workflowName: "ask", input: {} }) { run { id } } }'
const RUN = 'query($id: ID!) { run(id: $id) { status tasks { id status } approvals { status } } }'

async function asked(): Promise<string> {
  const { startRun } = await org.as('operator').query<{ startRun: { run: { id: string } } }>(START)
  const { id } = startRun.run
  await vi.waitFor(
    async () =>
      expect(await org.as('viewer').query(RUN, { id })).toMatchObject({
        run: { approvals: [{ status: 'PENDING' }] },
      }),
    PATIENCE,
  )
  return id
}

test('what a cancelled run asked of a person is taken back, and so is what a cancelled step asked, which nobody leaves out', async () => {
  const cancelled = await asked()
  await org
    .as('operator')
    .query('mutation($id: ID!) { cancelRun(input: { id: $id }) { run { status } } }', { id: cancelled })
  const failed = await asked()
  const { run } = await org.as('viewer').query<{ run: { tasks: { id: string }[] } }>(RUN, { id: failed })
  const act = (role: 'admin' | 'operator', name: string) =>
    org
      .as(role)
      .query(`mutation($id: ID!) { ${name}(input: { id: $id }) { task { id } } }`, { id: run.tasks[0]?.id })
  for (const role of ['admin', 'operator'] as const)
    await expect(act(role, 'skipTask')).rejects.toThrow('INVALID_STATE')
  await act('operator', 'cancelTask')
  for (const [id, status] of [
    [cancelled, 'CANCELLED'],
    [failed, 'FAILED'],
  ] as const)
    await vi.waitFor(
      async () =>
        expect(await org.as('viewer').query(RUN, { id })).toMatchObject({
          run: { status, approvals: [{ status: 'WITHDRAWN' }] },
        }),
      PATIENCE,
    )
})

test('workers do an act on many runs, and its feed says how far it is', async () => {
  const ids = [await asked(), await asked(), await asked()]
  const { bulkControlRuns } = await org.as('operator').query<{
    bulkControlRuns: { operation: { id: string } }
  }>(`mutation($ids: [ID!]) { bulkControlRuns(input: { action: TERMINATE, filter: { ids: $ids }, reason: "over" }) { operation { id } } }`, { ids })
  const { id } = bulkControlRuns.operation
  const feed = org
    .as('viewer')
    .subscribe(
      `subscription($id: ID, $after: String) { operationEvents(operationId: $id, after: $after) { type done operation { status done } } }`,
      { id, after: '0'.repeat(13) },
    )
  const types: unknown[] = []
  for await (const { data } of feed) {
    const event = (data as { operationEvents: { type: string } }).operationEvents
    types.push(event.type)
    if (event.type === 'operation.completed') break
  }
  expect(types).toEqual(['operation.started', 'operation.progressed', 'operation.completed'])
  for (const run of ids)
    expect(await org.as('viewer').query(RUN, { id: run })).toMatchObject({ run: { status: 'CANCELLED' } })
})

test('an order to stop refuses new runs, is proven by the workers, and lifted lets them begin again', async () => {
  const { contain } = await org
    .as('operator')
    .query<{ contain: { containment: { id: string } } }>(
      'mutation { contain(input: { scope: ORGANIZATION, reason: "fire" }) { containment { id } } }',
    )
  const { id } = contain.containment
  const refused = await org.as('operator').send(START)
  expect(refused.body.errors?.[0]).toMatchObject({
    message: 'It was ordered to stop: fire',
    extensions: { code: 'CONTAINED', argument: 'input' },
  })
  const READ = 'query($id: ID!) { containment(id: $id) { stoppedAt liftedAt running { leaseEnd } } }'
  await vi.waitFor(
    async () =>
      expect(await org.as('viewer').query(READ, { id })).toMatchObject({
        containment: { stoppedAt: expect.any(String), liftedAt: null, running: [] },
      }),
    PATIENCE,
  )
  await org
    .as('operator')
    .query('mutation($id: ID!) { liftContainment(input: { id: $id }) { containment { liftedAt } } }', { id })
  await asked()
})
