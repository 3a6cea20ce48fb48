import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpAgent, httpAgentDocument, startHttpAgent } from './http-agent.ts'
import { applyWorkflow, registerAgent, startRuns } from './operations.ts'
import { type Platform, startPlatform } from './platform.ts'

const INCIDENT_EVENTS = `subscription($after: String) {
  incidentEvents(after: $after) {
    cursor type incident { id severity status title workflow { name outcomes { failed failureRate } } openedBy { kind } }
  }
}`

interface IncidentSeen {
  cursor: string
  type: string
  incident: { id: string; severity: string; status: string; workflow: { name: string } }
}

describe('a workflow of which too many runs fail', () => {
  const cleanup = new AsyncDisposableStack()
  let platform: Platform
  let agent: HttpAgent
  let workflowId = ''
  const events: IncidentSeen[] = []
  let feed: Promise<void> = Promise.resolve()

  beforeAll(async () => {
    agent = cleanup.use(
      await startHttpAgent(({ json }) => (json.input['fails'] ? { status: 400 } : { output: 'done' })),
    )
    platform = cleanup.use(
      await startPlatform('standalone', { environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true' } }),
    )
    await registerAgent(platform.as('operator'), httpAgentDocument('moody', agent.url))
    workflowId = await applyWorkflow(platform.as('operator'), {
      format: 'tutti/1',
      name: 'moody-work',
      inputs: ['fails'],
      steps: [{ name: 'work', agent: 'moody', input: ['fails'] }],
    })
    const deliveries = platform.as('viewer').subscribe(INCIDENT_EVENTS, { after: '0'.repeat(13) })
    feed = (async () => {
      for await (const { data, errors } of deliveries) {
        if (errors) throw new Error(JSON.stringify(errors))
        events.push(data?.['incidentEvents'] as IncidentSeen)
      }
    })()
    feed.catch(() => undefined)
  })
  afterAll(() => cleanup.disposeAsync())

  /** Runs of which so many fail, and everything that follows from them until the log is read to its end. */
  async function wave(good: number, bad: number): Promise<void> {
    const inputs = [...Array<boolean>(good).fill(false), ...Array<boolean>(bad).fill(true)]
    const ids = await startRuns(
      platform.as('operator'),
      workflowId,
      inputs.map((fails) => ({ fails })),
    )
    const ended = () =>
      platform.sql(`select status, count(*)::int as runs from run where id = any($1) group by 1 order by 1`, [
        ids,
      ])
    await expect.poll(ended, { timeout: 20_000 }).toEqual(
      [
        { status: 'completed', runs: good },
        { status: 'failed', runs: bad },
      ].filter(({ runs }) => runs > 0),
    )
    const behind = `select name from log.consumer where seq < (select max(seq) from log.event)`
    await expect.poll(() => platform.sql(behind), { timeout: 20_000 }).toEqual([])
  }

  const incidents = () => platform.sql<{ status: string }>('select status from incident order by opened_at')
  const act = async (
    mutation: string,
    input: object,
  ): Promise<{ status: string; timeline: { kind: string }[] }> => {
    const answer = await platform.as('operator').query<Record<string, { incident: never }>>(
      `mutation($input: ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!) {
        ${mutation}(input: $input) { incident { status acknowledgedBy { name } timeline { kind text } } } }`,
      { input },
    )
    return answer[mutation]?.incident ?? { status: 'none', timeline: [] }
  }
  const told = (count: number) => expect.poll(() => events.length, { timeout: 10_000 }).toBe(count)

  it('opens nothing while a tenth or less of them fail', async () => {
    await wave(18, 2)
    expect(await incidents()).toEqual([])
  })

  it('opens an incident by itself once more than a tenth of them fail', async () => {
    await wave(0, 1)
    await told(1)
    expect(events[0]).toMatchObject({
      type: 'incident.opened',
      incident: {
        status: 'OPEN',
        workflow: { name: 'moody-work', outcomes: { failed: 3 } },
        openedBy: { kind: 'system' },
      },
    })
  })

  it('opens no second one while that is open, nor once it is acknowledged', async () => {
    await wave(0, 20)
    expect(await incidents()).toEqual([{ status: 'open' }])
    const acknowledged = await act('acknowledgeIncident', { id: events[0]?.incident.id })
    expect(acknowledged.status).toBe('ACKNOWLEDGED')
    // As in another hour: what was noticed once an hour is noticed again.
    await platform.sql(`update anomaly set request_key = request_key || '/before'`)
    await wave(0, 1)
    expect(await platform.sql('select count(*)::int as noticed from anomaly')).toEqual([{ noticed: 2 }])
    expect(await incidents()).toEqual([{ status: 'acknowledged' }])
  })

  it('is resolved by a person, and the feed has told of every step once', async () => {
    const resolved = await act('resolveIncident', {
      id: events[0]?.incident.id,
      resolution: 'The agent sleeps now.',
    })
    expect(resolved.status).toBe('RESOLVED')
    expect(resolved.timeline.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['opened', 'acknowledged', 'resolved']),
    )
    await told(3)
    expect(events.map(({ type }) => type)).toEqual([
      'incident.opened',
      'incident.acknowledged',
      'incident.resolved',
    ])
  })

  it('opens a new one when it happens again after that', async () => {
    await platform.sql(`update anomaly set request_key = request_key || '/before'`)
    await wave(0, 1)
    await told(4)
    expect(events[3]?.type).toBe('incident.opened')
    expect(await incidents()).toEqual([{ status: 'resolved' }, { status: 'open' }])
  })
})
