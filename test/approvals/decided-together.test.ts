import { expect, test, vi } from 'vitest'
import { startWorld } from '../world/start-world.ts'

const WORKFLOW = `
name: publish
inputs: [text]
steps:
  - { name: ask, type: review, question: Publish?, input: text, output: decision, if_rejected: stop }
  - { name: stop, type: end }
`
const START = 'mutation { startRun(input: { workflowName: "publish", input: { text: "T" } }) { run { id } } }'
const DECIDE = `mutation ($decisions: [DecideApprovalInput!]!) {
  decideApprovals(input: { decisions: $decisions }) { results { error { code } } }
}`
const RUNS = '{ runs(first: 20) { nodes { id status approvals { id status } } } }'

interface Runs {
  runs: { nodes: { id: string; status: string; approvals: { id: string; status: string }[] }[] }
}

test('reviews that people decide at one moment all go on, each by its own answer', async () => {
  await using world = await startWorld({ workers: true })
  const org = await world.organization()
  const operator = org.as('operator')
  await operator.query('mutation($d: String!) { applyWorkflow(input: { document: $d }) { changed } }', {
    d: WORKFLOW,
  })
  for (let made = 0; made < 6; made++) await operator.query(START)
  const runs = async () => (await org.as('viewer').query<Runs>(RUNS)).runs.nodes
  const waiting = await vi.waitFor(
    async () => {
      const nodes = await runs()
      expect(nodes.map(({ status, approvals }) => [status, approvals.length])).toEqual(
        Array.from({ length: 6 }, () => ['WAITING', 1]),
      )
      return nodes
    },
    { timeout: 20_000, interval: 100 },
  )
  const decisions = waiting.map(({ approvals }, index) => ({
    id: approvals[0]?.id,
    decision: index % 2 === 0 ? 'APPROVE' : 'REJECT',
  }))
  await org.as('approver').query(DECIDE, { decisions })
  await vi.waitFor(
    async () =>
      expect((await runs()).map(({ status, approvals }) => [status, approvals[0]?.status])).toEqual(
        decisions.map(({ decision }) => ['COMPLETED', decision === 'APPROVE' ? 'APPROVED' : 'REJECTED']),
      ),
    { timeout: 20_000, interval: 100 },
  )
}, 60_000)
