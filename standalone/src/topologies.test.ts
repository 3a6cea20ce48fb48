import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { distributedPlan } from './distributed-plan.ts'
import { distributedEnvironment, readEnvironment, standaloneEnvironment } from './environment.ts'
import { freePort } from './free-port.ts'
import { isAlive } from './process-table.ts'
import { standalonePlan } from './standalone-plan.ts'
import { type RunningTutti, startTutti } from './start-tutti.ts'

const QUERY = `{
  viewer { __typename }
  agents(first: 1) { edges { node { id } } }
  workflows(first: 1) { edges { node { id } } }
}`

describe.each(['standalone', 'distributed'])('%s, with its real processes', (topology) => {
  let directory = ''
  let port = 0
  let database: TestDatabase
  let tutti: RunningTutti
  const said: string[] = []

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tutti-topology-'))
    chmodSync(directory, 0o711)
    port = await freePort()
    database = await openTestDatabase()
    const given = {
      PORT: String(port),
      TUTTI_DIRECTORY: directory,
      TUTTI_SECRET: database.secret,
      DATABASE_URL: database.url,
    }
    const plan =
      topology === 'standalone'
        ? standalonePlan(readEnvironment(standaloneEnvironment, given))
        : await distributedPlan(readEnvironment(distributedEnvironment, given))
    tutti = startTutti(plan, (line) => said.push(line))
    await tutti.ready
  })

  afterAll(async () => {
    await tutti.stop()
    await database[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  })

  const ask = async (key: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query: QUERY }),
    })
    return response.json()
  }
  const adminKey = () => String(JSON.parse(readFileSync(join(directory, 'keys.json'), 'utf8')).admin)

  it('answers the key it made with data of several subgraphs, and nobody else', async () => {
    expect(await ask(adminKey())).toEqual({
      data: { viewer: { __typename: 'Viewer' }, agents: { edges: [] }, workflows: { edges: [] } },
    })
    expect(await ask('tutti_made_up')).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    })
  })

  it('brings back a worker that was killed', async () => {
    const { worker } = tutti.pids()
    process.kill(worker ?? 0, 'SIGKILL')
    await expect
      .poll(() => said.some((line) => line.startsWith('worker is back')), { timeout: 20_000 })
      .toBe(true)
    expect(tutti.pids()['worker']).not.toBe(worker)
  })

  it('drains every process when it stops', async () => {
    const pids = Object.values(tutti.pids())
    await tutti.stop()
    expect(pids.filter(isAlive)).toEqual([])
    expect(said.filter((line) => line.includes('did not end'))).toEqual([])
  })
})
