import { spawn } from 'node:child_process'
import { createWriteStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { exportRecord, openSealer, publishCheckpoints } from '@tutti/governance/domain'
import { openTail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createKms } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { type Bench, type BenchContext, interleave, type Round } from './bench.ts'
import { measureSealer } from './engine/measure-sealer.ts'
import { startTestPostgres } from './start-postgres.ts'

const TENANTS = 20
const A_MILLION = 1_000_000
const ENTRIES = { quick: 100_000, full: A_MILLION }
const BIN = join(import.meta.dirname, '../../packages/verify/bin/tutti-verify.js')

/**
 * `entries`: how many events a second the sealer puts into the chains of 20 tenants, from the log to signed checkpoints,
 * alone on the machine. `verify_1m`: what `tutti-verify` takes for 1,000,000 entries, with the start of the process; when
 * quick, ten times what it takes for 100,000; `verify_1m_cpu`: the CPU of all its threads. The histories are made by
 * INSERT … SELECT. Then what the sealer takes from the engine, and how far it is behind at full speed.
 */
export const bench: Bench = {
  name: 'audit',
  async run(context) {
    await measureRecord(context)
    await measureSealer(context)
  },
}

async function measureRecord(context: BenchContext): Promise<void> {
  await using postgres = await startTestPostgres()
  const count = context.quick ? ENTRIES.quick : ENTRIES.full
  await interleave(context, {
    tutti: async () => {
      await using world = await openTestDatabase()
      const tenants = await Promise.all(Array.from({ length: TENANTS }, () => world.organization()))
      await write(world, tenants, count)
      const entries = await seal(world, count)
      const big = await world.organization()
      await write(world, [big], count)
      await seal(world, count)
      const { seconds, cpu } = await verify(world, big, postgres.directory)
      return {
        entries: { value: entries, unit: '1/s' },
        verify_1m: { value: (seconds * A_MILLION) / count, unit: 's' },
        verify_1m_cpu: { value: (cpu * A_MILLION) / count, unit: 's' },
      } satisfies Round
    },
  })
}

/** Events as steps make them, in turns of the tenants. */
async function write(world: TestDatabase, tenants: readonly Actor[], count: number): Promise<void> {
  const chunk = 100_000
  for (let from = 0; from < count; from += chunk)
    await world.asOwner(
      `insert into log.event (organization_id, type, subject, actor, data, run_id)
       select ($1::uuid[])[1 + n % cardinality($1::uuid[])], 'task.completed', 'task/' || uuidv7(),
         '{"id": "agent:reply", "kind": "agent", "name": "reply"}',
         jsonb_build_object('runId', run, 'workflowId', run, 'workflowName', 'support', 'taskId', uuidv7(),
           'stepPath', 'reply', 'agentId', null, 'attempt', 1), run
       from (select n, uuidv7() as run from generate_series($2::int, $3::int) n) t`,
      [tenants.map(({ organizationId }) => organizationId), from, Math.min(from + chunk, count) - 1],
    )
}

/** Seals and signs what is not sealed yet; events a second. */
async function seal(world: TestDatabase, count: number): Promise<number> {
  const { database } = world
  await using tail = await openTail(database)
  const sealer = openSealer({ database, kms: createKms({ secret: world.secret }) })
  const [{ after } = { after: '0' }] = await world.asOwner<{ after: string }>(
    'select coalesce(max(event_seq), 0)::text as after from audit_seal',
  )
  const stop = new AbortController()
  const began = performance.now()
  let sealed = 0
  for await (const events of tail.follow(BigInt(after), stop.signal)) {
    await sealer.seal(events)
    sealed += events.length
    if (sealed >= count) break
  }
  await sealer.checkpoint()
  return count / ((performance.now() - began) / 1000)
}

/** Writes the CPU of a process and its threads to the error stream at its end, in microseconds. */
const TELL_CPU = `data:text/javascript,import { isMainThread } from 'node:worker_threads'
if (isMainThread) process.on('exit', () => { const { user, system } = process.cpuUsage(); console.error(user + system) })`

/** Exports a tenant's record and verifies it in a process of its own; seconds. */
async function verify(
  world: TestDatabase,
  actor: Actor,
  directory: string,
): Promise<{ seconds: number; cpu: number }> {
  const { database } = world
  const lines: string[] = []
  while ((await publishCheckpoints(database, async (some) => void lines.push(some))) > 0);
  const [record, checkpoints, key] = ['record.jsonl', 'checkpoints.jsonl', 'key.pem'].map((name) =>
    join(directory, name),
  )
  if (!record || !checkpoints || !key) throw new Error('There is no place for the files.')
  writeFileSync(checkpoints, lines.join(''))
  const [signing] = await world.asOwner<{ pem: string }>('select public_key as pem from log.signing_key')
  writeFileSync(key, signing?.pem ?? '')
  await pipeline(exportRecord(world, actor), createWriteStream(record))
  const began = performance.now()
  const args = ['--import', encodeURI(TELL_CPU), BIN, record, '--checkpoints', checkpoints, '--key', key]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const [told, code] = await Promise.all([
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ])
  if (code !== 0) throw new Error(`tutti-verify ended with ${code}: ${told}`)
  return { seconds: (performance.now() - began) / 1000, cpu: Number(told) / 1e6 }
}
