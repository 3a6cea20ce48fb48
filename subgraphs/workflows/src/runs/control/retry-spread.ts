import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { advance, type Transition } from '../../engine/core/index.ts'
import { aboutTask } from '../../engine/store/plan-transitions.ts'
import { limitKeyOf } from '../../limits/limit-key.ts'
import type { FailedRun } from './failed-run.ts'
import { insertStrands, type NewStrandRow } from './insert-strands.ts'
import { recordEvents } from './record-events.ts'
import { aboutRun } from './run-reference.ts'

type Spread = Transition & { type: 'start_strands' }

interface Kept {
  id: string
  position: number
}

/**
 * Begins a failed parallel or map again with the branches and items that have not arrived well; the others keep their
 * results. Answers with the paths of what begins; undefined when the step is none of these, or nothing of it is to keep.
 */
export async function retrySpread(
  client: pg.PoolClient,
  actor: Actor,
  run: FailedRun,
  node: string,
): Promise<string[] | undefined> {
  const spread = spreadOf(run, node)
  if (!spread) return undefined
  const kept = await findKept(client, actor, run, node)
  const arrived = new Set(kept.map(({ position }) => position))
  const missing = spread.strands.flatMap((strand, position) =>
    arrived.has(position) ? [] : [{ ...strand, position }],
  )
  const needed = spread.needed - kept.length
  if (kept.length === 0 || missing.length === 0 || needed <= 0) return undefined

  const compound = await copySpread(client, actor, run, spread, kept)
  const main = uuidv7()
  const width = spread.concurrency
  const limit_key = limitKeyOf(run.definition, run.input) ?? undefined
  const rows: NewStrandRow[] = [
    {
      id: main,
      status: 'waiting',
      state: run.state,
      generation: run.generation,
      limit_key,
      task: compound,
      pending: missing.length,
      needed,
      fast: spread.failFast,
      ...(width === undefined ? {} : { width }),
    },
    ...missing.map(({ key, path, state, position }, turn): NewStrandRow => ({
      id: uuidv7(),
      status: width === undefined || turn < width ? 'ready' : 'held',
      state,
      generation: run.generation,
      limit_key,
      parent: main,
      parent_task: compound,
      compound: node,
      key,
      position,
      path,
    })),
  ]
  await insertStrands(client, actor.organizationId, run.id, rows)
  return missing.map(({ path }) => path.replace(/\/$/, ''))
}

/** What the core would begin at the node; the children's own first steps are left to who claims them. */
function spreadOf({ id, definition, input, state }: FailedRun, node: string): Spread | undefined {
  const { kind } = definition.nodes[node] ?? {}
  if (kind !== 'parallel' && kind !== 'map') return undefined
  const transitions = advance(
    definition,
    { status: 'running', input, strand: { path: '', state, outer: [] }, seed: id },
    { type: 'step_entered', node },
  )
  return transitions.find((each): each is Spread => each.type === 'start_strands')
}

/** The last tasks of the branches and items that arrived well at the step's failed task. */
async function findKept(
  client: pg.PoolClient,
  { organizationId }: Actor,
  { id }: FailedRun,
  node: string,
): Promise<Kept[]> {
  const { rows } = await client.query<Kept>(
    `select t.id, t.position from task t
     where t.organization_id = $1 and t.arrival->>'ok' = 'true' and t.parent_id = (
       select c.id from task c where c.organization_id = $1 and c.run_id = $2 and c.node_id = $3 and c.parent_id is null
         and c.status = 'failed' order by c.id desc limit 1)`,
    [organizationId, id, node],
  )
  return rows
}

/** The step's new task, below which those that arrived well stand as they were. */
async function copySpread(
  client: pg.PoolClient,
  actor: Actor,
  run: FailedRun,
  { node, path }: Spread,
  kept: readonly Kept[],
): Promise<string> {
  const id = uuidv7()
  const o = actor.organizationId
  await client.query(
    `insert into task (organization_id, id, run_id, step_path, generation, node_id, kind, status, input, timeout_ms)
     values ($1, $2, $3, $4, $5, $6, $7, 'waiting', '{}', 0)`,
    [o, id, run.id, path, run.generation, node, run.definition.nodes[node]?.kind],
  )
  await client.query(
    `insert into task (organization_id, id, run_id, step_path, generation, node_id, kind, agent_id, agent_name, agent_version,
       status, attempt, input, output, timeout_ms, parent_id, position, arrival, created_at, started_at, ended_at)
     select organization_id, uuidv7(), run_id, step_path, $3, node_id, kind, agent_id, agent_name, agent_version, status, attempt,
       input, output, timeout_ms, $4, position, arrival, created_at, started_at, ended_at
     from task where organization_id = $1 and id = any($2::uuid[])`,
    [o, kept.map((each) => each.id), run.generation, id],
  )
  const about = aboutTask(aboutRun(run).data, { id, path, agentId: null, attempt: 0 })
  await recordEvents(client, actor, [
    {
      type: 'task.waiting',
      subject: about.subject,
      data: { ...about.data, approvalId: null, waitsFor: 'branches' },
    },
  ])
  return id
}
