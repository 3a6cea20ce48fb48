import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Platform, startPlatform } from './platform.ts'
import { runExample } from './run-example.ts'

interface Seen {
  agents: { nodes: { name: string; executorType: string; versions: { nodes: { number: number }[] } }[] }
  workflows: { nodes: { name: string; latestVersion: { version: number } }[] }
  credentials: { nodes: { name: string }[] }
}

const SEEN = `{
  agents(first: 10) { nodes { name executorType versions(first: 20) { nodes { number } } } }
  workflows(first: 10) { nodes { name latestVersion { version } } }
  credentials(first: 10) { nodes { name } }
}`

/** By whom each way's messages are judged, as their judgements say; in the order of the ways. */
const JUDGES = [
  { score: expect.any(Number), language: 'en' },
  { by: 'a service over HTTP' },
  { by: 'a tool of an MCP server' },
  { by: 'an agent that speaks A2A' },
  { by: 'a model' },
  { decision: 'approved', decidedBy: expect.stringMatching(/./) },
  { by: 'a worker in Python' },
]

const cleanup = new AsyncDisposableStack()
let platform: Platform

beforeAll(async () => {
  platform = cleanup.use(
    await startPlatform('standalone', { environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true' } }),
  )
})
afterAll(() => cleanup.disposeAsync())

it('the same workflow is done in seven ways, switched by the agent’s document alone', async () => {
  const { exitCode, said } = await runExample(platform, 'seven-ways')
  expect(exitCode, said).toBe(0)

  const runs = await platform.sql<{ status: string; state: Record<string, unknown>; cost: number }>(
    `select r.status, r.state, sum(t.cost_usd)::float as cost from run r
     join task t on t.organization_id = r.organization_id and t.run_id = r.id
     group by r.organization_id, r.id, r.status, r.state order by r.id`,
  )
  const labels = ['angry', 'positive', 'neutral']
  expect(runs.map(({ status, state: { label, queue } }) => [status, label, queue])).toEqual(
    JUDGES.flatMap(() => labels.map((label) => ['completed', label, label === 'angry' ? 'first' : 'usual'])),
  )
  expect(runs.map(({ state }) => state['judgement'])).toEqual(
    JUDGES.flatMap((judge) => labels.map(() => expect.objectContaining(judge))),
  )
  // What the service asks for, and what the model's tokens come to.
  expect(runs.map(({ cost }) => cost > 0)).toEqual(
    JUDGES.flatMap(({ by }) => labels.map(() => by === 'a service over HTTP' || by === 'a model')),
  )

  const seen = await platform.as('admin').query<Seen>(SEEN)
  expect(seen.workflows.nodes).toEqual([{ name: 'triage_message', latestVersion: { version: 1 } }])
  // The first version serves again, and what the example lent the organization is gone.
  expect(seen.agents.nodes).toMatchObject([{ name: 'message_triage', executorType: 'builtin' }])
  expect(seen.agents.nodes[0]?.versions.nodes).toHaveLength(JUDGES.length)
  expect(seen.credentials.nodes).toEqual([])
  expect(
    await platform.sql(`select id from api_key where revoked_at is null and prefix is not null and principal_id in
    (select id from principal where name = 'message_triage')`),
  ).toEqual([])
}, 90_000)
