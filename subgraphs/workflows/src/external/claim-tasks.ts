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
import { retryDeadlocks } from '../runs/control/retry-deadlocks.ts'
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
import { type AskedAgain, askAgain, untilAnswered } from './ask-again.ts'
import { findWorkerAgents, type WorkerAgent, type WorkerRequest } from './find-worker-agents.ts'
import { leaseSeconds } from './lease-seconds.ts'

const MOST = 100
/** As often as the engine lets a task lose its worker, and no oftener. */
const MOST_LOSSES = 8
/** A governed task that was let through longer ago is asked about once more: as long as rules are trusted anywhere. */
const PASSED_MS = 1_000
/** Whoever claims goes on without what takes longer to be let through. */
const PATIENCE_MS = 3_000

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
 * no mistake. A task whose workers were lost too often fails with WORKER_LOST instead. Of a governed one authority and policies
 * are asked before, unless it was let through within this second: what they forbid by now is not given out. BAD_INPUT with all
 * mistakes; as {@link findWorkerAgents} otherwise.
 */
export async function claimTasks(
  services: Pick<Services, 'database' | 'wake' | 'secret'>,
  actor: Actor,
  input: unknown,
): Promise<ExternalClaim[]> {
  const { most, leaseSeconds: seconds, ...request } = parseInput(inputSchema, input)
  const { asked, rows } = await claimOnce(services, actor, request, { most: most ?? 1, seconds })
  if (asked.tasks.length > 0) {
    // What was claimed beside them has most of its lease left.
    await untilAnswered(services, actor, asked.tasks, Math.min(PATIENCE_MS, (seconds * 1_000) / 3))
    const second = await claimOnce(services, actor, request, {
      seconds,
      most: asked.tasks.length,
      only: asked,
    })
    rows.push(...second.rows)
  }
  return rows.map((row) => answerOf(services.secret, actor, row))
}

async function claimOnce(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  request: WorkerRequest,
  wish: Wish,
): Promise<{ rows: Row[]; asked: AskedAgain }> {
  const { claimed, lost, asked } = await retryDeadlocks(() =>
    database.transact(actor, async (client) => {
      const agents = await findWorkerAgents(client, actor, request)
      const rows = await claimWithinLimits(client, actor, agents, wish)
      const taken = rows.filter(({ stale }) => !stale)
      const gone = taken.filter(({ lapsed, losses }) => lapsed && losses >= MOST_LOSSES)
      for (const row of gone) await giveUp(client, actor, row)
      const kept = taken.filter((row) => !gone.includes(row))
      await recordEvents(client, actor, [
        ...taken.flatMap((row) => (row.lapsed ? [releasedEvent(row, row.fence - 1, 'lease')] : [])),
        ...kept.map((row) => claimedEvent(row, row.fence)),
      ])
      const again = await askAgain(
        client,
        actor,
        rows.filter(({ stale }) => stale),
      )
      return { claimed: kept, lost: gone.length, asked: again }
    }),
  )
  if (claimed.length + lost + asked.tasks.length > 0) database.announce()
  if (lost + asked.tasks.length > 0) wake()
  return { rows: claimed, asked }
}

interface Row extends ExternalTask {
  fence: number
  leaseUntil: Date
  lapsed: boolean
  /** Not claimed: it is governed, and was let through too long ago. */
  stale: boolean
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
  /** What has just been asked about, and nothing else. */
  only?: AskedAgain
}

/** Agents without a limit share what is asked for; of the others each takes what it has room for. */
async function claimWithinLimits(
  client: pg.PoolClient,
  actor: Actor,
  agents: readonly WorkerAgent[],
  wish: Wish,
): Promise<Row[]> {
  const rooms = await roomOfAgents(
    client,
    actor.organizationId,
    agents.map(({ id }) => id),
  )
  const free = agents.filter(({ id }) => !rooms.has(id))
  const rows = await claim(client, actor, free, wish)
  for (const agent of agents) {
    const most = Math.min(rooms.get(agent.id) ?? 0, wish.most - rows.length)
    if (most > 0) rows.push(...(await claim(client, actor, [agent], { ...wish, most })))
  }
  return rows
}

/** The strand's fence moves with every claim, and is the claim's: what else changes the strand ends the claim. */
async function claim(
  client: pg.PoolClient,
  actor: Actor,
  agents: readonly WorkerAgent[],
  { most, seconds, only }: Wish,
): Promise<Row[]> {
  if (agents.length === 0) return []
  const { rows } = await client.query<Row>(
    `with chosen as materialized (
       select i.organization_id, i.id, i.task_id, i.run_id, i.status = 'claimed' as lapsed, s.id as strand_id, s.fence,
         t.given is not null and i.created_at < coalesce($8::timestamptz, clock_timestamp() - interval '${PASSED_MS} ms') as stale
       from board_item i
       join strand s on s.organization_id = i.organization_id and s.status = 'waiting' and ${WAITS_FOR}
       join task t on t.organization_id = i.organization_id and t.id = i.task_id
       where i.organization_id = $1 and i.capability = any($2::text[]) and i.for_agent_id = any($3::uuid[])
         and i.status in ('open', 'claimed') and ${IS_OPEN} and s.due_at > clock_timestamp()
         and ($7::uuid[] is null or i.task_id = any($7))
         and not tutti_contained($1, i.workflow_id, i.for_agent_id, i.run_id)
         and not exists (select from run r where r.organization_id = $1 and r.id = i.run_id and r.status = 'paused')
       order by i.id limit $4 for no key update of i, s skip locked
     ), moved as (
       update strand s set fence = s.fence + 1, recoveries = s.recoveries + case when c.lapsed then 1 else 0 end
       from chosen c where s.organization_id = c.organization_id and s.id = c.strand_id and not c.stale
       returning c.id as item_id, s.fence, s.recoveries, s.due_at
     ), taken as (
       update board_item i set status = 'claimed', fence = m.fence::int, claimed_by = $5, agent_id = i.for_agent_id,
         lease_until = clock_timestamp() + $6 * interval '1 second'
       from moved m where i.organization_id = $1 and i.id = m.item_id
       returning i.id, i.fence, i.lease_until, m.recoveries, m.due_at
     )
     select ${EXTERNAL_TASK_COLUMNS}, coalesce(i.fence, c.fence::int) as fence, i.lease_until as "leaseUntil", c.lapsed, c.stale,
       i.recoveries as losses, c.id as "itemId", c.strand_id as "strandId", t.node_id as node, t.generation,
       coalesce(t.given, t.input - '$decision') as input,
       case when t.progress ? 'time' then t.progress end as progress, i.due_at as deadline
     from chosen c left join taken i on i.id = c.id ${joinsOf('c')} order by c.id`,
    [
      actor.organizationId,
      agents.map(({ name }) => name),
      agents.map(({ id }) => id),
      most,
      JSON.stringify(actorRecord(actor)),
      seconds,
      only?.tasks ?? null,
      only?.since ?? null,
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
