import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAlive } from '../process-table.ts'
import { StartError } from '../start-error.ts'
import { type SuperviseOptions, type Supervisor, supervise } from './supervise.ts'

const entry = join(import.meta.dirname, 'fixtures/child.ts')
let logDirectory = ''
let said: string[] = []
let supervisor: Supervisor | undefined

beforeEach(() => {
  logDirectory = mkdtempSync(join(tmpdir(), 'tutti-supervise-'))
  said = []
})

afterEach(async () => {
  supervisor?.kill()
  await supervisor?.stop()
  rmSync(logDirectory, { recursive: true, force: true })
})

function start(
  behaviours: Record<string, string>,
  {
    settings = Promise.resolve({}),
    ...options
  }: Partial<SuperviseOptions> & {
    settings?: Promise<Record<string, string>>
  } = {},
): Supervisor {
  supervisor = supervise(
    Object.entries(behaviours).map(([name, FIXTURE]) => ({ name, entry, env: { FIXTURE }, settings })),
    { logDirectory, log: (line) => said.push(line), ...options },
  )
  return supervisor
}

const until = (condition: () => boolean) =>
  expect.poll(condition, { timeout: 15_000, interval: 10 }).toBe(true)
const logOf = (name: string) => readFileSync(join(logDirectory, `${name}.log`), 'utf8')

describe('supervision', () => {
  it('is ready when every child has said so, which waits for the settings', async () => {
    const settings = Promise.withResolvers<Record<string, string>>()
    const { ready, pids } = start({ one: 'good', two: 'good' }, { settings: settings.promise })
    expect(Object.keys(pids())).toEqual(['one', 'two'])
    settings.resolve({ GIVEN: 'a database' })
    await ready
    expect(logOf('one')).toContain('begun with a database')
  })

  it('starts a killed child again, and tells', async () => {
    const { ready, pids } = start({ one: 'good', two: 'good' })
    await ready
    const before = pids()
    process.kill(before.one ?? 0, 'SIGKILL')
    await until(() => said.some((line) => line.startsWith('one is back')))
    expect(pids().one).not.toBe(before.one)
    expect(pids().two).toBe(before.two)
    expect(said[0]).toBe('one died (SIGKILL): starting it again')
  })

  it('lets children drain, and kills those that do not end', async () => {
    const { ready, pids, stop } = start({ good: 'good', stubborn: 'stubborn' }, { drain: 300 })
    await ready
    const all = Object.values(pids())
    await stop()
    expect(all.filter(isAlive)).toEqual([])
    expect(logOf('good')).toContain('drained')
    expect(said).toEqual(['stubborn did not end within 0.3 s: killed'])
  })

  it('says why a child would not start, in its own words', async () => {
    const error = await start({ bad: 'refuses' }).ready.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(StartError)
    expect(String(error)).toContain('exit code 3')
    expect(String(error)).toContain('the moon is wrong')
  })

  it('does not start a child again while stopping', async () => {
    const { ready, pids, stop } = start({ one: 'good' })
    await ready
    const pid = pids().one ?? 0
    const stopped = stop()
    process.kill(pid, 'SIGKILL')
    await stopped
    expect(pids()).toEqual({})
    expect(said).toEqual([])
  })
})

describe('a supervisor that is killed', () => {
  it.each(['good', 'stubborn'])('leaves no orphans (children that are %s)', async (behaviour) => {
    const parent = spawn(
      process.execPath,
      [join(import.meta.dirname, 'fixtures/supervisor.ts'), logDirectory, behaviour],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const [line] = await once(parent.stdout, 'data')
    const pids = Object.values(JSON.parse(String(line)) as Record<string, number>)
    expect(pids.filter(isAlive)).toHaveLength(2)
    parent.kill('SIGKILL')
    await until(() => pids.every((pid) => !isAlive(pid)))
  })
})

describe('Ctrl-C in a terminal', () => {
  it('reaches the supervisor alone: the children end by its order', async () => {
    const parent = spawn(
      process.execPath,
      [join(import.meta.dirname, 'fixtures/supervisor.ts'), logDirectory],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      },
    )
    const [line] = await once(parent.stdout, 'data')
    const pids = Object.values(JSON.parse(String(line)) as Record<string, number>)
    process.kill(-(parent.pid ?? 0), 'SIGINT') // the whole group, as a terminal does
    await once(parent, 'exit')
    expect(pids.filter(isAlive)).toEqual([])
    expect(logOf('one')).toContain('drained')
  })
})
