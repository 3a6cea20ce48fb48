import { createHash } from 'node:crypto'
import { type Actor, canonicalJson, fail } from '@tutti/schema'
import { actorRecord } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import type { Services } from '../context.ts'
import { advance } from '../engine/core/index.ts'
import { engineMemoryOf } from '../engine/store/engine-memory.ts'
import { planTransitions } from '../engine/store/plan-transitions.ts'
import { emptyPlan, writePlan } from '../engine/store/write-plan.ts'

export interface RunRequest {
  workflowId?: string | null
  workflowName?: string | null
  input: Record<string, unknown>
  idempotencyKey?: string | null
}

export interface StartedRun {
  id: string
  /** False when its idempotency key had started it before. */
  created: boolean
}

interface Target {
  workflow_id: string
  name: string
  version_id: string
}

/**
 * Starts runs of the workflows' latest versions, all or none, in one transaction. Answers in the order given.
 * NOT_FOUND for an unknown workflow, IDEMPOTENCY_KEY_REUSED when a key comes with another input.
 */
export async function startRuns(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  requests: readonly RunRequest[],
  path: (index: number) => string,
): Promise<StartedRun[]> {
  const memory = engineMemoryOf(database)
  const started = await database.transact(actor, async (client) => {
    const targets = await findTargets(client, actor, requests)
    const wanted = requests.map((request, index) => {
      const target = targets(request)
      if (!target) return fail('NOT_FOUND', { path: path(index), message: 'There is no such workflow.' })
      return { request, target, id: uuidv7(), hash: hashOf(request.input) }
    })
    const ids = await insertRuns(client, actor, wanted)
    const definitions = await memory.definitions.get(
      client,
      wanted.map(({ target }) => ({ organizationId: actor.organizationId, id: target.version_id })),
    )
    const plan = emptyPlan()
    for (const { request, target, id } of wanted.filter((each) => ids.created.has(each.id))) {
      const definition = definitions.get(target.version_id)
      if (!definition) return fail('INTERNAL', { message: 'A version without its definition.' })
      const run = {
        organizationId: actor.organizationId,
        id,
        workflowId: target.workflow_id,
        workflowName: target.name,
      }
      const reference = { runId: id, workflowId: target.workflow_id, workflowName: target.name }
      plan.events.push({
        o: actor.organizationId,
        actor: actorRecord(actor),
        event: { type: 'run.started', subject: `run/${id}`, data: reference },
      })
      const view = { status: 'queued', input: request.input, state: {}, seed: id } as const
      const transitions = advance(definition, view, { type: 'run_started' })
      const agents = await memory.agents.of(client, actor.organizationId, transitions)
      planTransitions(plan, { ...run, status: 'queued' }, undefined, transitions, {
        actor: actorRecord(actor),
        agents,
      })
    }
    if (plan.events.length > 0) await writePlan(client, plan)
    return wanted.map(({ request, id, hash, target }, index) => {
      if (ids.created.has(id)) return { id, created: true }
      const existing = ids.existing.get(`${target.workflow_id}/${request.idempotencyKey}`)
      if (!existing || existing.hash !== hash)
        return fail('IDEMPOTENCY_KEY_REUSED', { path: `${path(index)}.idempotencyKey` })
      return { id: existing.id, created: false }
    })
  })
  if (started.some((run) => run.created)) {
    database.announce()
    wake()
  }
  return started
}

async function findTargets(
  client: pg.PoolClient,
  actor: Actor,
  requests: readonly RunRequest[],
): Promise<(request: RunRequest) => Target | undefined> {
  const ids = requests.flatMap(({ workflowId }) => (workflowId && isId(workflowId) ? [workflowId] : []))
  const names = requests.flatMap(({ workflowName }) => (workflowName ? [workflowName] : []))
  const { rows } = await client.query<Target>(
    `select w.id as workflow_id, w.name, v.id as version_id from workflow w
     join workflow_version v on v.organization_id = w.organization_id and v.workflow_id = w.id and v.version = w.latest_version
     where w.organization_id = $1 and (w.id = any($2::uuid[]) or w.name = any($3))`,
    [actor.organizationId, ids, names],
  )
  return ({ workflowId, workflowName }) =>
    rows.find((row) => (workflowId ? row.workflow_id === workflowId : row.name === workflowName))
}

interface WantedRun {
  request: RunRequest
  target: Target
  id: string
  hash: string
}

/** Inserts what is new; of the rest, finds who was first. A key twice in one call counts once. */
async function insertRuns(client: pg.PoolClient, actor: Actor, wanted: readonly WantedRun[]) {
  const rows = wanted.map(({ request, target, id, hash }) => ({
    id,
    workflow: target.workflow_id,
    version: target.version_id,
    input: request.input,
    key: request.idempotencyKey ?? null,
    hash,
  }))
  const inserted = await client.query<{ id: string }>({
    name: 'engine-start',
    text: `insert into run (organization_id, id, workflow_id, version_id, status, input, idempotency_key, request_hash, started_by)
      select $1::uuid, x.id, x.workflow, x.version, 'queued', x.input, x.key, x.hash, $3::jsonb
      from jsonb_to_recordset($2::jsonb) as x(id uuid, workflow uuid, version uuid, input jsonb, key text, hash text)
      on conflict (organization_id, workflow_id, idempotency_key) do nothing returning id`,
    values: [actor.organizationId, JSON.stringify(rows), JSON.stringify(actorRecord(actor))],
  })
  const created = new Set(inserted.rows.map((row) => row.id))
  const missing = rows.filter((row) => !created.has(row.id))
  if (missing.length === 0) return { created, existing: new Map<string, { id: string; hash: string }>() }
  const found = await client.query<{
    id: string
    workflow_id: string
    idempotency_key: string
    request_hash: string
  }>(
    `select id, workflow_id, idempotency_key, request_hash from run
     where organization_id = $1 and (workflow_id, idempotency_key) in (select * from unnest($2::uuid[], $3::text[]))`,
    [actor.organizationId, missing.map((row) => row.workflow), missing.map((row) => row.key)],
  )
  const existing = new Map(
    found.rows.map((row) => [
      `${row.workflow_id}/${row.idempotency_key}`,
      { id: row.id, hash: row.request_hash },
    ]),
  )
  return { created, existing }
}

/** Equal inputs hash equally, whatever the order of their keys. */
function hashOf(input: unknown): string {
  return createHash('sha256').update(canonicalJson(input)).digest('base64url')
}
