import { expect, test, vi } from 'vitest'
import { startWorld } from '../world/start-world.ts'

const WORKFLOW = `
name: publish
inputs: [text]
steps:
  - name: ask
    type: review
    role: approver
    question: Publish?
    input: text
    output: decision
    deadline_seconds: 1
    if_rejected: stop
  - { name: stop, type: end }
`
const RUNS = `{ runs(first: 5) { nodes { status error { code } tasks { status error { code } }
  approvals { status decidedBy { name } } } } }`

interface Runs {
  runs: { nodes: Record<string, unknown>[] }
}

test('a review that nobody answers in time goes on without an answer, and no worker has to be told', async () => {
  await using world = await startWorld({ workers: true })
  const org = await world.organization()
  const operator = org.as('operator')
  await operator.query('mutation($d: String!) { applyWorkflow(input: { document: $d }) { changed } }', {
    d: WORKFLOW,
  })
  await operator.query(
    'mutation { startRun(input: { workflowName: "publish", input: { text: "T" } }) { created } }',
  )
  const run = async () => (await org.as('viewer').query<Runs>(RUNS)).runs.nodes[0]
  await vi.waitFor(async () => expect(await run()).toMatchObject({ approvals: [{}] }), { timeout: 10_000 })
  await vi.waitFor(async () => expect(await run()).toMatchObject({ status: 'FAILED' }), {
    timeout: 20_000,
    interval: 200,
  })
  expect(await run()).toMatchObject({
    tasks: [{ status: 'FAILED', error: { code: 'REVIEW_EXPIRED' } }],
    approvals: [{ status: 'EXPIRED', decidedBy: null }],
  })
}, 40_000)
