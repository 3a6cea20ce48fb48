import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { createLog } from '../process/create-log.ts'
import { createLanes } from './create-lanes.ts'

const log = createLog('test', 'silent')
const stops: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const stop of stops) await stop()
})

const hasRedis = spawnSync('redis-server', ['--version']).status === 0
const mustHaveRedis = process.env['TUTTI_REQUIRE_REDIS'] === '1'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}

async function startRedis(): Promise<{ redisUrl: string; postgresUrl: string }> {
  const port = await freePort()
  const server = spawn('redis-server', [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ])
  for await (const line of server.stdout) if (String(line).includes('Ready to accept')) break
  stops.push(async () => {
    server.kill()
    await once(server, 'exit')
  })
  return { redisUrl: `redis://127.0.0.1:${port}`, postgresUrl: '' }
}

/** The queue role's URL of a fresh database. Runtime may not import the data room, so the role is made here. */
async function startPostgres(): Promise<{ postgresUrl: string }> {
  const { default: pg } = await import('pg')
  const url = new URL(process.env['TUTTI_TEST_POSTGRES_URL'] ?? '')
  const name = `lanes_${process.pid}_${stops.length}`
  const owner = new pg.Client({ connectionString: url.toString() })
  await owner.connect()
  await owner.query(`create database ${name}`)
  stops.push(async () => {
    await owner.query(`drop database ${name} with (force)`)
    await owner.end()
  })
  url.pathname = `/${name}`
  const inside = new pg.Client({ connectionString: url.toString() })
  await inside.connect()
  await inside.query('create schema queue')
  await inside.end()
  return { postgresUrl: url.toString() }
}

const backends = [
  { name: 'PostgreSQL', start: startPostgres, runs: true },
  { name: 'Redis', start: startRedis, runs: hasRedis || mustHaveRedis },
]

for (const { name, start, runs } of backends) {
  describe.skipIf(!runs)(`lanes on ${name}`, () => {
    test('a nudge wakes the lane, also one that comes while the lane is at work', async () => {
      const connection = await start()
      await using lanes = await createLanes(connection, log)
      let woken = 0
      let busy: (() => void) | undefined
      await lanes.work('tasks', async () => {
        woken++
        if (woken === 1) await new Promise<void>((resolve) => (busy = resolve))
      })
      lanes.nudge('tasks')
      await expect.poll(() => busy, { timeout: 10_000 }).toBeDefined()
      for (let count = 0; count < 5; count++) {
        lanes.nudge('tasks')
        await wait(1)
      }
      await expect.poll(() => woken, { timeout: 300 }).toBe(1)
      await wait(200)
      busy?.()
      await expect.poll(() => woken, { timeout: 10_000 }).toBe(2)
    })

    test('a hundred nudges of one moment are one job', async () => {
      const connection = await start()
      await using lanes = await createLanes(connection, log)
      for (let count = 0; count < 100; count++) lanes.nudge('other')
      await wait(300)
      let woken = 0
      await lanes.work('other', () => void woken++)
      await expect.poll(() => woken, { timeout: 10_000 }).toBeGreaterThan(0)
      await wait(200)
      expect(woken).toBe(1)
    })
  })
}
