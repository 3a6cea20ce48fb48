import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAlive } from '../process-table.ts'
import { StartError, type StartErrorCode } from '../start-error.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './start-embedded-postgres.ts'

const directories: string[] = []
let running: EmbeddedPostgres[] = []
let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tutti-embedded-'))
  chmodSync(directory, 0o711)
  directories.push(directory)
})

afterEach(async () => {
  await Promise.all(running.map((postgres) => postgres.stop()))
  running = []
})

afterAll(() => {
  for (const each of directories) rmSync(each, { recursive: true, force: true })
})

async function start(at = directory): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ directory: at, settings: ['fsync=off'] })
  running.push(postgres)
  return postgres
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

async function refusal(attempt: Promise<unknown>): Promise<StartError> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof StartError)) throw new Error(`expected a StartError, got ${String(error)}`)
  return error
}

async function expectRefused(code: StartErrorCode): Promise<StartError> {
  const before = fingerprint(join(directory, 'postgres'))
  const error = await refusal(start())
  expect(error.code).toBe(code)
  expect(fingerprint(join(directory, 'postgres'))).toBe(before)
  return error
}

// Every file with its content, so that "unharmed" means each byte.
function fingerprint(path: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted()) {
    hash.update(name)
    const file = join(path, name)
    if (statSync(file).isFile()) hash.update(readFileSync(file))
  }
  return hash.digest('hex')
}

describe('embedded PostgreSQL', () => {
  it('starts in an empty directory, with pg_trgm at hand and settings that keep data', async () => {
    const postgres = await start()
    expect(postgres).toMatchObject({ fresh: true, adopted: false })
    const [row] = await query(
      postgres.url,
      `select current_database() as name, current_setting('max_connections') as connections,
        current_setting('synchronous_commit') as commit, current_setting('timezone') as zone,
        current_setting('listen_addresses') as listen, lower('ÄÖÜ') as lower,
        (select count(*)::int from pg_available_extensions where name = 'pg_trgm') as trgm`,
    )
    expect(row).toEqual({
      name: 'tutti',
      connections: '200',
      commit: 'on',
      zone: 'UTC',
      listen: '127.0.0.1',
      lower: 'äöü',
      trgm: 1,
    })
  })

  it('listens on a socket as well, in a directory that nobody else may enter, and asks for the password there too', async () => {
    const postgres = await start()
    const where = 'select inet_server_addr() is null as socket'
    expect(await query(postgres.url, where)).toEqual([{ socket: false }])
    expect(await query(postgres.socketUrl, where)).toEqual([{ socket: process.platform !== 'win32' }])
    expect(statSync(join(directory, 'postgres')).mode & 0o077).toBe(0)
    const wrong = new URL(postgres.socketUrl)
    wrong.password = 'wrong'
    await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/)
  })

  it('does without the socket where its path would be too long', async () => {
    const deep = join(directory, 'd'.repeat(100))
    mkdirSync(deep)
    const postgres = await start(deep)
    expect(postgres.socketUrl).toBe(postgres.url)
  })

  it('asks for the password, and keeps it where only its owner reads', async () => {
    const postgres = await start()
    const wrong = new URL(postgres.url)
    wrong.password = 'wrong'
    await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/)
    for (const file of ['postgres.url', 'postgres/tutti.json', 'lock']) {
      expect(statSync(join(directory, file)).mode & 0o077, file).toBe(0)
    }
  })

  it('finds its data and its port again after a stop', async () => {
    const first = await start()
    await query(first.url, 'create table kept as select 42 as answer')
    await first.stop()
    expect(isAlive(first.pid)).toBe(false)
    const second = await start()
    expect(second).toMatchObject({ fresh: false, adopted: false, url: first.url })
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  it('takes over the survivor of a Tutti that was killed, and stops it in the end', async () => {
    const parent = spawn(
      process.execPath,
      [join(import.meta.dirname, 'fixtures/start-and-wait.ts'), directory],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const [said] = await once(parent.stdout, 'data')
    const survivor = Number(String(said))
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    expect(isAlive(survivor)).toBe(true)
    const postgres = await start()
    expect(postgres).toMatchObject({ pid: survivor, adopted: true })
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await postgres.stop()
    expect(isAlive(survivor)).toBe(false)
  })

  it('is not misled by a postmaster.pid that names another program', async () => {
    const first = await start()
    await first.stop()
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    try {
      writeFileSync(
        join(directory, 'postgres/postmaster.pid'),
        `${stranger.pid}\n${join(directory, 'postgres')}\n0\n5432\n\n127.0.0.1\n\nready\n`,
        { mode: 0o644 },
      )
      const second = await start()
      expect(second.adopted).toBe(false)
      expect(stranger.exitCode).toBe(null)
      expect(isAlive(stranger.pid ?? 0)).toBe(true)
    } finally {
      stranger.kill('SIGKILL')
    }
  })

  it('refuses a second start in the same directory', async () => {
    await start()
    const error = await refusal(start())
    expect(error.code).toBe('ALREADY_RUNNING')
    expect(error.message).toContain(String(process.pid))
  })

  it('takes over the lock of a process that died', async () => {
    const gone = spawn(process.execPath, ['-e', ''])
    await once(gone, 'exit')
    writeFileSync(join(directory, 'lock'), JSON.stringify({ pid: gone.pid, startedAt: '1' }))
    expect((await start()).fresh).toBe(true)
  })

  it('clears what an interrupted first start left, and never takes it for data', async () => {
    mkdirSync(join(directory, 'postgres.initialising.1'))
    writeFileSync(join(directory, 'postgres.initialising.1/PG_VERSION'), '18\n')
    expect((await start()).fresh).toBe(true)
    expect(readdirSync(directory).filter((name) => name.includes('initialising'))).toEqual([])
  })
})

describe('a data directory that cannot be used is refused and left as it is', () => {
  it('foreign: not made by us', async () => {
    mkdirSync(join(directory, 'postgres'))
    writeFileSync(join(directory, 'postgres/PG_VERSION'), '18\n')
    await expectRefused('DATA_DIRECTORY_FOREIGN')
  })

  it('of another version', async () => {
    await (await start()).stop()
    writeFileSync(join(directory, 'postgres/PG_VERSION'), '17\n')
    expect((await expectRefused('DATA_DIRECTORY_VERSION')).message).toContain('17')
  })

  it('damaged: pg_control is missing', async () => {
    await (await start()).stop()
    rmSync(join(directory, 'postgres/global/pg_control'))
    expect((await expectRefused('DATA_DIRECTORY_DAMAGED')).message).toContain('global/pg_control')
  })

  it('damaged: pg_control is garbage, and PostgreSQL says so', async () => {
    await (await start()).stop()
    writeFileSync(join(directory, 'postgres/global/pg_control'), Buffer.alloc(8192, 7))
    const error = await refusal(start())
    expect(error.code).toBe('DATA_DIRECTORY_DAMAGED')
    expect(error.message).toContain('FATAL')
  })

  it('with a broken configuration: the reason comes from the log', async () => {
    await (await start()).stop()
    copyFileSync(join(directory, 'postgres/postgresql.conf'), join(directory, 'kept.conf'))
    writeFileSync(join(directory, 'postgres/postgresql.conf'), 'no_such_setting = 1\n')
    const error = await refusal(start())
    expect(error.code).toBe('POSTGRES_DID_NOT_START')
    expect(error.message).toContain('no_such_setting')
    copyFileSync(join(directory, 'kept.conf'), join(directory, 'postgres/postgresql.conf'))
    expect((await start()).fresh).toBe(false)
  })

  it('a file in the place of the directory', async () => {
    writeFileSync(join(directory, 'file'), '')
    expect((await refusal(start(join(directory, 'file')))).code).toBe('DIRECTORY_UNUSABLE')
  })
})

describe.runIf(process.getuid?.() === 0)('as root', () => {
  it('works below a directory that is closed to everybody else', async () => {
    chmodSync(directory, 0o700)
    const postgres = await start(join(directory, '.tutti'))
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(statSync(join(directory, '.tutti/postgres')).uid).not.toBe(0)
  })
})
