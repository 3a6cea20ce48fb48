import { actorRecord } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { z } from 'zod'
import { IS_OPEN } from '../board/board-item.ts'
import { WAITS_FOR } from '../board/end-claim.ts'
import type { Services } from '../context.ts'
import { type CoreEvent, idempotencyKey } from '../engine/core/index.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import type { TaskProgressRow } from '../tasks/load-tasks.ts'
import { issueReportToken } from '../tasks/progress/report-token.ts'
import { isStorableText } from '../triggers/unstorable.ts'
import {
  claimedEvent,
  EXTERNAL_TASK_COLUMNS,
  type ExternalTask,
  joinsOf,
  releasedEvent,
} from './external-task.ts'
import { roomOfAgents } from '../limits/room-of-agents.ts'
import { findWorkerAgents, type WorkerAgent } from './find-worker-agents.ts'
import { leaseSeconds } from './lease-seconds.ts'

const MOST = 100
/** As often as the engine lets a task lose its worker, and no oftener. */
const MOST_LOSSES = 8

const storable = z.string().refine(isStorableText, 'It holds a NUL or half a character.')
const inputSchema = z.object({
  agent: storable.nullish(),
  capabilities: z.array(storable).max(MOST, `At most ${MOST}.`).nullish(),
  most: z.int().min(1, 'At least 1.').max(MOST, `At most ${MOST}.`).nullish(),
  leaseSeconds,
})

/** A task that a worker outside has taken on. */
export interface ExternalClaim {
  taskId: string
  runId: string
  /** Proves this claim; opaque. */
  token: string
  step: string
  workflowName: string
  input: Record<string, unknown>
  attempt: number
  idempotencyKey: string
  /** When the attempt's time is over. */
  deadline: Date | null
  leaseUntil: Date
  progress: TaskProgressRow | null
}

/**
 * Claims the oldest tasks that wait for workers of these agents, under a lease. Those that others claim at the same moment
 * are passed by; those of paused runs, and what an order to stop holds, stay where they are. Fewer than asked, or none, is
 * no mistake. A task whose workers were lost too often fails with WORKER_LOST instead. BAD_INPUT with all mistakes; as
 * {@link findWorkerAgents} otherwise.
 */
export async function claimTasks(
  { database, wake, secret }: Pick<Services, 'database' | 'wake' | 'secret'>,
  actor: Actor,
  input: unknown,
): Promise<ExternalClaim[]> {
  const { most, leaseSeconds: seconds, ...request } = parseInput(inputSchema, input)
  const { claimed, lost } = await database.transact(actor, async (client) => {
    const agents = await findWorkerAgents(client, actor, request)
    const rows = await claimWithinLimits(client, actor, agents, { most: most ?? 1, seconds })
    const gone = rows.filter(({ lapsed, losses }) => lapsed && losses >= MOST_LOSSES)
    for (const row of gone) await giveUp(client, actor, row)
    const kept = rows.filter((row) => !gone.includes(row))
    await recordEvents(client, actor, [
      ...rows.flatMap((row) => (row.lapsed ? [releasedEvent(row, row.fence - 1, 'lease')] : [])),
      ...kept.map((row) => claimedEvent(row, row.fence)),
    ])
    return { claimed: kept, lost: gone.length }
  })
  if (claimed.length + lost > 0) database.announce()
  if (lost > 0) wake()
  return claimed.map((row) => answerOf(secret, actor, row))
}

interface Row extends ExternalTask {
  fence: number
  leaseUntil: Date
  lapsed: boolean
  losses: number
  itemId: string
  strandId: string
  node: string
  generation: number
  input: Record<string, unknown>
  progress: TaskProgressRow | null
  deadline: Date | null
}

interface Wish {
  most: number
  seconds: number
}

/** Agents without a limit share what is asked for; of the others each takes what it has room for. */
async function claimWithinLimits(
  client: pg.PoolClient,
  actor: Actor,
  agents: readonly WorkerAgent[],
  { most, seconds }: Wish,
): Promise<Row[]> {
  const rooms = await roomOfAgents(
    client,
    actor.organizationId,
    agents.map(({ id }) => id),
  )
  const free = agents.filter(({ id }) => !rooms.has(id))
  const rows = await claim(client, actor, free, most, seconds)
  for (const agent of agents) {
    const room = Math.min(rooms.get(agent.id) ?? 0, most - rows.length)
    if (room > 0) rows.push(...(await claim(client, actor, [agent], room, seconds)))
  }
  return rows
}

/** The strand's fence moves with every claim, and is the claim's: what else changes the strand ends the claim. */
async function claim(
  client: pg.PoolClient,
  actor: Actor,
  agents: readonly WorkerAgent[],
  most: number,
  seconds: number,
): Promise<Row[]> {
  if (agents.length === 0) return []
  const { rows } = await client.query<Row>(
    `with chosen as materialized (
       select i.organization_id, i.id, i.status = 'claimed' as lapsed, s.id as strand_id from board_item i
       join strand s on s.organization_id = i.organization_id and s.status = 'waiting' and ${WAITS_FOR}
       where i.organization_id = $1 and i.capability = any($2::text[]) and i.for_agent_id = any($3::uuid[])
         and i.status in ('open', 'claimed') and ${IS_OPEN} and s.due_at > clock_timestamp()
         and not tutti_contained($1, i.workflow_id, i.for_agent_id, i.run_id)
         and not exists (select from run r where r.organization_id = $1 and r.id = i.run_id and r.status = 'paused')
       order by i.id limit $4 for no key update of i, s skip locked
     ), moved as (
       update strand s set fence = s.fence + 1, recoveries = s.recoveries + case when c.lapsed then 1 else 0 end
       from chosen c where s.organization_id = c.organization_id and s.id = c.strand_id
       returning c.id as item_id, c.lapsed, s.id, s.fence, s.recoveries, s.due_at
     ), taken as (
       update board_item i set status = 'claimed', fence = m.fence::int, claimed_by = $5, agent_id = i.for_agent_id,
         lease_until = clock_timestamp() + $6 * interval '1 second'
       from moved m where i.organization_id = $1 and i.id = m.item_id
       returning i.*, m.lapsed, m.recoveries, m.due_at, m.id as strand_id
     )
     select ${EXTERNAL_TASK_COLUMNS}, i.fence, i.lease_until as "leaseUntil", i.lapsed, i.recoveries as losses,
       i.id as "itemId", i.strand_id as "strandId", t.node_id as node, t.generation,
       coalesce(t.given, t.input - '$decision') as input,
       case when t.progress ? 'time' then t.progress end as progress, i.due_at as deadline
     from taken i ${joinsOf('i')} order by i.id`,
    [
      actor.organizationId,
      agents.map(({ name }) => name),
      agents.map(({ id }) => id),
      most,
      JSON.stringify(actorRecord(actor)),
      seconds,
    ],
  )
  return rows
}

/** What kills its workers is not given to another. */
async function giveUp(client: pg.PoolClient, actor: Actor, row: Row): Promise<void> {
  const error = { code: 'WORKER_LOST', message: `Its worker was lost ${row.losses} times.` }
  const { node, attempt } = row
  const resume: CoreEvent = { type: 'task_failed', node, attempt, error: { ...error, retryable: false } }
  await client.query(
    `update board_item set status = 'failed', error = $3, lease_until = null, ended_at = clock_timestamp()
     where organization_id = $1 and id = $2`,
    [actor.organizationId, row.itemId, JSON.stringify(error)],
  )
  await client.query(
    `update strand set status = 'ready', due_at = clock_timestamp(), resume = $3, wait_key = null, fence = fence + 1
     where organization_id = $1 and id = $2`,
    [actor.organizationId, row.strandId, JSON.stringify(resume)],
  )
}

function answerOf(secret: string, { organizationId }: Actor, row: Row): ExternalClaim {
  const { id, path, attempt, runId, strandId, fence, generation } = row
  return {
    taskId: id,
    runId,
    token: issueReportToken(secret, { organizationId, strandId, fence: BigInt(fence), id, attempt }),
    step: path,
    workflowName: row.workflowName,
    input: row.input,
    attempt,
    idempotencyKey: idempotencyKey(organizationId, runId, path, generation),
    deadline: row.deadline,
    leaseUntil: row.leaseUntil,
    progress: row.progress,
  }
}
