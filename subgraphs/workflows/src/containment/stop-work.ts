import type { Database } from '@tutti/prisma'
import type { Actor, NewEvent } from '@tutti/schema'
import type pg from 'pg'
import { WAITS_FOR } from '../board/end-claim.ts'
import { aboutTask } from '../engine/store/plan-transitions.ts'
import {
  EXTERNAL_TASK_COLUMNS,
  type ExternalTask,
  joinsOf,
  releasedEvent,
} from '../external/external-task.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { retryDeadlocks } from '../runs/control/retry-deadlocks.ts'
import type { ContainmentRow } from './containment-row.ts'

type Order = Pick<ContainmentRow, 'id' | 'scope' | 'targetId'>

const CHUNK = 500

interface Fenced {
  lease_end: Date
  run_id: string
  workflow_id: string
  workflow_name: string
  task_id: string | null
  step_path: string | null
  agent_id: string | null
  attempt: number | null
  began: boolean
  is_in: boolean
}

/**
 * Fences off what is under way of what an order names, and holds what is ready for a worker, in chunks. Who works on it
 * is told at the next renewal, and no answer is accepted. What waits goes on waiting. Answers how much was under way; it
 * does nothing once the order is lifted.
 */
export async function stopWork(database: Database, actor: Actor, order: Order): Promise<number> {
  let stopped = 0
  for (const step of [fence, takeBack, hold]) {
    for (let chunk = { rows: CHUNK, stopped: 0 }; chunk.rows === CHUNK;) {
      chunk = await retryDeadlocks(() =>
        database.transact(actor, async (client) =>
          (await isInForce(client, actor, order)) ? step(client, actor, order) : { rows: 0, stopped: 0 },
        ),
      )
      stopped += chunk.stopped
    }
  }
  if (stopped > 0) database.announce()
  return stopped
}

interface Chunk {
  rows: number
  /** Of what the order names. */
  stopped: number
}

/** Keeps the order from being lifted before this transaction ends: what it holds, the lifting lets go. */
async function isInForce(client: pg.PoolClient, { organizationId }: Actor, { id }: Order): Promise<boolean> {
  const { rowCount } = await client.query(
    'select from containment where organization_id = $1 and id = $2 and lifted_at is null for share',
    [organizationId, id],
  )
  return rowCount === 1
}

const IN_SCOPE = `tutti_in_scope($2, $3, s.organization_id, s.workflow_id, s.agent_id, s.run_id)`
/**
 * A branch or item that was claimed before the order may have its first task in its worker's memory alone: it begins
 * again for all to see.
 */
const MAY_BE_IN_SCOPE = `($2 in ('agent', 'domain') and s.task_id is null and s.parent_id is not null
  and exists (select from containment c where c.organization_id = $1 and c.id = $4 and c.sealed_at is null))`

async function fence(client: pg.PoolClient, actor: Actor, order: Order): Promise<Chunk> {
  const { rows } = await client.query<Fenced>(
    `with chosen as materialized (
       select s.id, s.run_id, s.workflow_id, s.task_id, s.agent_id, s.fence, s.due_at, ${IN_SCOPE} as is_in from strand s
       where s.organization_id = $1 and s.status = 'running' and (${IN_SCOPE} or ${MAY_BE_IN_SCOPE})
       order by s.id limit ${CHUNK} for update of s
     ), proof as (
       insert into containment_stop (organization_id, containment_id, strand_id, run_id, workflow_id, task_id, agent_id,
         fence, lease_end)
       select $1, $4, c.id, c.run_id, c.workflow_id, c.task_id, c.agent_id, c.fence, c.due_at from chosen c
     ), unsealed as (
       update containment set sealed_at = null, stopped_at = null
       where organization_id = $1 and id = $4 and sealed_at is not null and exists (select from chosen)
     ), held as (
       update strand s set status = case when c.is_in then 'held' else 'ready' end,
         due_at = case when not c.is_in then clock_timestamp() end, fence = s.fence + 1, claim_id = null
       from chosen c where s.organization_id = $1 and s.id = c.id
     ), back as (
       update task t set status = 'ready', attempt = greatest(t.attempt - 1, 0) from chosen c
       where t.organization_id = $1 and t.id = c.task_id and t.status = 'running' returning t.id, t.attempt + 1 as attempt
     )
     select c.due_at as lease_end, c.run_id, c.workflow_id, w.name as workflow_name, c.task_id, t.step_path, c.agent_id,
       coalesce(b.attempt, t.attempt) as attempt, b.id is not null as began, c.is_in
     from chosen c join workflow w on w.organization_id = $1 and w.id = c.workflow_id
     left join task t on t.organization_id = $1 and t.id = c.task_id left join back b on b.id = c.task_id
     order by c.id`,
    [actor.organizationId, order.scope, order.targetId, order.id],
  )
  await recordEvents(
    client,
    actor,
    rows.flatMap((row) => stopEvent(row, order.id)),
  )
  return { rows: rows.length, stopped: rows.filter((row) => row.is_in).length }
}

/** Only of a task that a worker had: what the engine itself was about to do for a strand is nobody's task. */
function stopEvent(row: Fenced, containmentId: string): NewEvent[] {
  const { task_id: id, step_path: path, agent_id: agentId, attempt } = row
  if (!row.began || id === null || path === null || attempt === null) return []
  const reference = { runId: row.run_id, workflowId: row.workflow_id, workflowName: row.workflow_name }
  const { subject, data } = aboutTask(reference, { id, path, agentId, attempt })
  const leaseEnd = row.lease_end.toISOString()
  return [{ type: 'task.stopped', subject, data: { ...data, containmentId, leaseEnd } }]
}

/** What workers outside have is nobody's: their claims are over. */
async function takeBack(client: pg.PoolClient, actor: Actor, order: Order): Promise<Chunk> {
  const { rows } = await client.query<ExternalTask & { fence: number }>(
    `with chosen as materialized (
       select i.organization_id, i.id, i.fence from board_item i
       join strand s on s.organization_id = i.organization_id and ${WAITS_FOR}
       where i.organization_id = $1 and i.status = 'claimed' and i.for_agent_id is not null and ${IN_SCOPE}
       order by s.id limit ${CHUNK} for update of s, i
     ), i as (
       update board_item i set status = 'open', lease_until = null, claimed_by = null, agent_id = null
       from chosen c where i.organization_id = c.organization_id and i.id = c.id returning i.*
     )
     select ${EXTERNAL_TASK_COLUMNS}, i.fence from i ${joinsOf('i')} order by i.id`,
    [actor.organizationId, order.scope, order.targetId],
  )
  await recordEvents(
    client,
    actor,
    rows.map((row) => releasedEvent(row, row.fence, 'stopped')),
  )
  return { rows: rows.length, stopped: 0 }
}

/**
 * What is due, also a wait whose time has come: it would stand in the way of others' work in the queue. What is due
 * later keeps its time.
 */
async function hold(client: pg.PoolClient, { organizationId }: Actor, order: Order): Promise<Chunk> {
  const { rowCount } = await client.query(
    `update strand s set status = 'held', due_at = null
     from (select s.id from strand s
       where s.organization_id = $1 and ${IN_SCOPE} and s.status in ('ready', 'waiting') and s.due_at <= clock_timestamp()
       order by s.id limit ${CHUNK} for update of s) c
     where s.organization_id = $1 and s.id = c.id`,
    [organizationId, order.scope, order.targetId],
  )
  return { rows: rowCount ?? 0, stopped: 0 }
}
