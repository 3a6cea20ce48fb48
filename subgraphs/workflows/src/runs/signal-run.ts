import { createHash } from 'node:crypto'
import { actorRecord, eventActor } from '@tutti/prisma'
import { isId, parseInput, suggestName } from '@tutti/runtime'
import { type Actor, canonicalJson, fail, type Problem } from '@tutti/schema'
import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import type { Services } from '../context.ts'
import type { WorkflowDefinition } from '../definitions/index.ts'
import { checkSignal, isRunOver, type RunStatus } from '../engine/core/index.ts'
import { engineMemoryOf } from '../engine/store/engine-memory.ts'
import { takeSignals } from '../engine/take-signals.ts'
import { isStorableText, unstorable } from '../triggers/unstorable.ts'

const inputSchema = z.object({
  runId: z.string(),
  name: z.string(),
  payload: z
    .unknown()
    .superRefine((payload, context) => {
      const problem = unstorable(payload)
      if (problem !== null) context.addIssue({ code: 'custom', message: problem })
    })
    .optional(),
  idempotencyKey: z
    .string()
    .min(1, 'A key has 1 to 200 characters.')
    .max(200, 'A key has 1 to 200 characters.')
    .refine(isStorableText, 'It holds a NUL character, which cannot be stored.')
    .nullish(),
})

export interface SignalledRun {
  id: string
  runId: string
  /** False when its idempotency key had sent it before. */
  created: boolean
  /** Whether a step has taken it. */
  taken: boolean
}

interface SignalledRow {
  status: RunStatus
  version_id: string
  workflow_id: string
  workflow_name: string
}

/**
 * Sends a signal to a run: the wait of this name that began first takes it, or one that begins later. Events:
 * run.signalled. NOT_FOUND; INVALID_STATE when the run is over; BAD_INPUT for a name that no step waits for, or a payload
 * that fits no such step, with what does not fit; IDEMPOTENCY_KEY_REUSED when the key comes with another signal.
 */
export async function signalRun(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  input: unknown,
): Promise<SignalledRun> {
  const { runId, name, payload = null, idempotencyKey = null } = parseInput(inputSchema, input)
  if (!isId(runId)) fail('NOT_FOUND', { path: 'input.runId' })
  const { organizationId } = actor
  const sent = await database.transact(actor, async (client) => {
    const run = await lockRun(client, organizationId, runId)
    const before =
      idempotencyKey === null ? null : await findSignal(client, organizationId, runId, idempotencyKey)
    if (before) {
      const same = before.name === name && hashOf(before.payload) === hashOf(payload)
      if (!same) fail('IDEMPOTENCY_KEY_REUSED', { path: 'input.idempotencyKey' })
      return { id: before.id, runId, created: false, taken: before.taken, woken: false }
    }
    if (isRunOver(run.status))
      fail('INVALID_STATE', { path: 'input.runId', message: `The run is ${run.status}.` })
    await checkFits(client, database, organizationId, run, name, payload)
    const id = uuidv7()
    await client.query(
      `with sent as (
         insert into run_signal (organization_id, id, run_id, name, payload, sent_by, idempotency_key)
         values ($1, $2, $3, $4, $5, $6, $7)
       )
       insert into log.event (organization_id, type, subject, actor, data, run_id)
       values ($1, 'run.signalled', 'run/' || $3::text, $9, $8, $3::uuid)`,
      [
        organizationId,
        id,
        runId,
        name,
        JSON.stringify(payload),
        JSON.stringify(actorRecord(actor)),
        idempotencyKey,
        JSON.stringify({
          runId,
          workflowId: run.workflow_id,
          workflowName: run.workflow_name,
          signalId: id,
          name,
        }),
        JSON.stringify(eventActor(actor)),
      ],
    )
    const waiting = await client.query<{ id: string }>(
      `select id from strand where organization_id = $1 and run_id = $2 and wait_key = $3 and status = 'waiting'`,
      [organizationId, runId, `signal:${name}`],
    )
    const woken = await takeSignals(
      client,
      waiting.rows.map((strand) => ({ organizationId, id: strand.id })),
    )
    // A worker about to begin the wait has not seen the signal: its write is refused, and it looks again.
    if (woken.length === 0)
      await client.query('update run set epoch = epoch + 1 where organization_id = $1 and id = $2', [
        organizationId,
        runId,
      ])
    const [stored] = await readSignal(client, organizationId, id)
    return { id, runId, created: true, taken: stored?.taken ?? false, woken: woken.length > 0 }
  })
  const { woken, ...signalled } = sent
  if (sent.created) database.announce()
  if (woken) wake()
  return signalled
}

async function lockRun(client: pg.PoolClient, o: string, id: string): Promise<SignalledRow> {
  const { rows } = await client.query<SignalledRow>(
    `select r.status, r.version_id, r.workflow_id, w.name as workflow_name from run r
     join workflow w on w.organization_id = r.organization_id and w.id = r.workflow_id
     where r.organization_id = $1 and r.id = $2 for update of r`,
    [o, id],
  )
  return rows[0] ?? fail('NOT_FOUND', { path: 'input.runId' })
}

async function findSignal(client: pg.PoolClient, o: string, runId: string, key: string) {
  const { rows } = await client.query<{ id: string; name: string; payload: unknown; taken: boolean }>(
    `select id, name, payload, taken_at is not null as taken from run_signal
     where organization_id = $1 and run_id = $2 and idempotency_key = $3`,
    [o, runId, key],
  )
  return rows[0] ?? null
}

async function readSignal(client: pg.PoolClient, o: string, id: string): Promise<{ taken: boolean }[]> {
  const { rows } = await client.query<{ taken: boolean }>(
    'select taken_at is not null as taken from run_signal where organization_id = $1 and id = $2',
    [o, id],
  )
  return rows
}

async function checkFits(
  client: pg.PoolClient,
  database: Services['database'],
  organizationId: string,
  run: SignalledRow,
  name: string,
  payload: unknown,
): Promise<void> {
  const { definitions } = engineMemoryOf(database)
  const known = await definitions.get(client, [{ organizationId, id: run.version_id }])
  const definition = known.get(run.version_id)
  if (!definition) fail('INTERNAL', { message: 'A version without its definition.' })
  const names = signalsOf(definition)
  if (!names.includes(name)) {
    const near = suggestName(name, names)
    const all = names.length === 0 ? 'It waits for no signals.' : `It waits for ${names.join(', ')}.`
    fail('BAD_INPUT', {
      path: 'input.name',
      message: 'No step of the run waits for a signal of this name.',
      hint: near ? `Did you mean ${near}?` : all,
    })
  }
  const problems: Problem[] = checkSignal(definition, name, payload).map(({ path, message }) => ({
    code: 'schema',
    message,
    path: path === '' ? 'input.payload' : `input.payload.${path}`,
  }))
  if (problems.length > 0)
    fail('BAD_INPUT', {
      path: 'input.payload',
      message: 'The payload does not fit what the step declares.',
      problems,
    })
}

function signalsOf({ nodes }: WorkflowDefinition): string[] {
  const names = Object.values(nodes).flatMap((node) =>
    node.kind === 'wait' && node.for.type === 'signal' ? [node.for.name] : [],
  )
  return [...new Set(names)]
}

const hashOf = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex')
