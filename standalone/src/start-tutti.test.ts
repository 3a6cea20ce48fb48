import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readPostmaster } from './embedded-postgres/postmaster.ts'
import { freePort } from './free-port.ts'
import { isAlive } from './process-table.ts'

interface Started {
  process: ChildProcess
  /** Everything it wrote so far, to both streams. */
  said(): string
  /** Exit code or signal, once it ended. */
  ended: Promise<number | string>
}

let directory = ''
let port = 0
let started: Started[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tutti-standalone-'))
  chmodSync(directory, 0o711)
  port = await freePort()
})

afterEach(async () => {
  for (const each of started) {
    each.process.kill('SIGTERM')
    await each.ended
  }
  started = []
  rmSync(directory, { recursive: true, force: true })
})

const home = () => join(directory, '.tutti')

const environment = () => ({
  DATABASE_URL: '',
  TUTTI_SECRET: '',
  TUTTI_DIRECTORY: home(),
  PORT: String(port),
})

function start(more: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/standalone.ts')], {
    env: { ...process.env, ...environment(), ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const parts: string[] = []
  child.stdout.on('data', (chunk: Buffer) => parts.push(chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => parts.push(chunk.toString()))
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  const result = { process: child, said: () => parts.join(''), ended }
  started.push(result)
  return result
}

const until = (condition: () => boolean | Promise<boolean>) =>
  expect.poll(condition, { timeout: 25_000, interval: 20 }).toBe(true)
const isReady = async (tutti: Started) => {
  await until(() => tutti.said().includes('Tutti is ready') || tutti.process.exitCode !== null)
  expect(tutti.said()).toContain('Tutti is ready')
}
const askDoor = async () =>
  (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as Record<'pid' | 'database' | 'secret', string>
// To the whole group, as a terminal does.
const ctrlC = (tutti: Started) => {
  if (tutti.process.exitCode === null) process.kill(-(tutti.process.pid ?? 0), 'SIGINT')
}
const postgresPid = () => readPostmaster(join(home(), 'postgres'))?.pid ?? 0

describe('npm start', () => {
  it('comes up, prints its keys, stops all of it on Ctrl-C, and finds its data the next time', async () => {
    const first = start()
    await isReady(first)
    expect(first.said()).toContain('tutti_admin_key')
    expect(JSON.parse(readFileSync(join(home(), 'keys.json'), 'utf8'))).toMatchObject({
      admin: 'tutti_admin_key',
    })
    expect(JSON.parse(readFileSync(join(home(), 'door.json'), 'utf8'))).toEqual({
      url: `http://127.0.0.1:${port}/graphql`,
    })
    for (const file of ['keys.json', 'secret', 'door.json']) {
      expect(statSync(join(home(), file)).mode & 0o077, file).toBe(0)
    }
    const before = await askDoor()
    const postgres = postgresPid()
    ctrlC(first)
    expect(await first.ended).toBe(0)
    expect([Number(before.pid), postgres].filter(isAlive)).toEqual([])
    expect(existsSync(join(home(), 'lock'))).toBe(false)

    const second = start({ NO_KEYS: '1' })
    await isReady(second)
    expect(second.said()).not.toContain('tutti_admin_key')
    expect(second.said()).toContain('keys.json')
    expect(await askDoor()).toMatchObject({ database: before.database, secret: before.secret })
  })

  it('brings back a killed door and a killed database', async () => {
    const tutti = start()
    await isReady(tutti)
    const door = Number((await askDoor()).pid)
    process.kill(door, 'SIGKILL')
    await until(async () => Number((await askDoor().catch(() => ({ pid: door }))).pid) !== door)
    const postgres = postgresPid()
    process.kill(postgres, 'SIGKILL')
    await until(() => postgresPid() !== postgres && postgresPid() !== 0)
    expect(tutti.said()).toContain('door died')
    expect(tutti.said()).toContain('PostgreSQL died')
  })

  it('killed itself, leaves no process that the next start does not take over', async () => {
    const first = start()
    await isReady(first)
    const before = await askDoor()
    const postgres = postgresPid()
    first.process.kill('SIGKILL')
    await first.ended
    const second = start()
    await isReady(second)
    expect(second.said()).toContain('taken over')
    expect(postgresPid()).toBe(postgres)
    expect(isAlive(Number(before.pid))).toBe(false)
    ctrlC(second)
    expect(await second.ended).toBe(0)
    expect(isAlive(postgres)).toBe(false)
  })

  it('stops when npm is stopped and its shell does not pass the signal on', async () => {
    const shell = spawn(
      'sh',
      ['-c', `${process.execPath} ${join(import.meta.dirname, 'fixtures/standalone.ts')}; true`],
      {
        env: { ...process.env, ...environment(), npm_lifecycle_event: 'start' },
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      },
    )
    let said = ''
    shell.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await until(() => said.includes('Tutti is ready'))
    const door = Number((await askDoor()).pid)
    shell.kill('SIGTERM')
    await until(() => !existsSync(join(home(), 'lock')))
    expect(isAlive(door)).toBe(false)
    expect(postgresPid()).toBe(0)
  })

  it('does not wait for a door that will not drain when Ctrl-C comes twice', async () => {
    const tutti = start({ FIXTURE: 'stubborn door' })
    await isReady(tutti)
    const { pid } = await askDoor()
    ctrlC(tutti)
    await until(() => tutti.said().includes('stopping'))
    // Until one counts as a second: npm repeats the first, so that those close to it are not heard.
    await until(() => {
      ctrlC(tutti)
      return tutti.said().includes('forcing')
    })
    expect(await tutti.ended).toBe(0)
    expect(tutti.said()).not.toContain('did not end within')
    expect(isAlive(Number(pid))).toBe(false)
  })

  it('can be stopped while it starts', async () => {
    const tutti = start()
    await until(() => tutti.said().includes('making the database'))
    ctrlC(tutti)
    expect(await tutti.ended).toBe(0)
    expect(postgresPid()).toBe(0)
    expect(tutti.said()).not.toContain('Tutti is ready')
  })
})

describe('npm start refuses, with one message and exit code 1, and touches nothing', () => {
  it('a taken port', async () => {
    const other = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    const tutti = start()
    expect(await tutti.ended).toBe(1)
    other.close()
    expect(tutti.said()).toMatch(
      /^\nPORT_TAKEN: Port \d+ on 127\.0\.0\.1 is taken by another program\.\n.*PORT=/,
    )
    expect(existsSync(home())).toBe(false)
  })

  it('wrong variables, all of them at once and without their values', async () => {
    const tutti = start({
      PORT: 'seven',
      DATABASE_URL: 'mysql://me:hidden@there',
      WORKERS: '0',
      TUTTI_SECRET: 'short',
    })
    expect(await tutti.ended).toBe(1)
    for (const name of ['ENVIRONMENT_INVALID', 'PORT', 'DATABASE_URL', 'WORKERS', 'TUTTI_SECRET']) {
      expect(tutti.said()).toContain(name)
    }
    expect(tutti.said()).not.toContain('hidden')
    expect(existsSync(home())).toBe(false)
  })

  it('a second start in the same directory, while the first goes on', async () => {
    const first = start()
    await isReady(first)
    port = await freePort()
    const second = start()
    expect(await second.ended).toBe(1)
    expect(second.said()).toContain('ALREADY_RUNNING')
    expect(isAlive(postgresPid())).toBe(true)
  })
})

describe('npm start that fails half-way', () => {
  it.each([
    ['unprepared', 'DATABASE_NOT_READY', 'the migration is wrong'],
    ['worker fails', 'CHILD_DID_NOT_START', 'no hands'],
  ])('says why and leaves nothing running: %s', async (FIXTURE, code, reason) => {
    const tutti = start({ FIXTURE })
    expect(await tutti.ended).toBe(1)
    expect(tutti.said()).toContain(code)
    expect(tutti.said()).toContain(reason)
    expect(postgresPid()).toBe(0)
    expect(readdirSync(home())).not.toContain('lock')
  })
})
