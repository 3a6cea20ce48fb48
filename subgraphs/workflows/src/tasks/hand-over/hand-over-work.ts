import type { Database } from '@tutti/prisma'
import { systemActor } from '@tutti/schema'
import type { Services } from '../../context.ts'
import { retryDeadlocks } from '../../runs/control/retry-deadlocks.ts'
import { handOverTask } from './hand-over-task.ts'

const MOST = 500

/** An agent on its way out, or gone. */
export interface LeavingAgent {
  organizationId: string
  agentId: string
  /** Whether what is under way is taken from it as well. */
  force: boolean
}

/** What came of it: tasks given to others, tasks the agent still does, and tasks that wait for an agent. */
export interface HandedOver {
  handedOver: number
  underWay: number
  waiting: number
}

interface OpenTask {
  taskId: string
  kind: string
  isUnderWay: boolean
  waitsForPerson: boolean
  heirs: { id: string; name: string }[] | null
}

/** Open tasks of an agent, with the agents that could do each: of the step's capability, else of all of the agent's own. */
const OPEN = `
select t.id as "taskId", t.kind,
  s.status = 'running' or (s.status = 'waiting' and not exists (select from board_item i
    where i.organization_id = s.organization_id and i.task_id = t.id and i.status = 'open')) as "isUnderWay",
  s.status = 'waiting' and not coalesce(starts_with(s.wait_key, 'worker:'), false) as "waitsForPerson",
  (select jsonb_agg(jsonb_build_object('id', h.id, 'name', h.name) order by h.name) from agent h
    where h.organization_id = s.organization_id and h.id <> a.id and h.status = 'active' and h.retired_at is null
      and h.capabilities @> case when d.capability is not null then array[d.capability]
        when cardinality(a.capabilities) > 0 then a.capabilities end) as heirs
from strand s
join agent a on a.organization_id = s.organization_id and a.id = s.agent_id
join task t on t.organization_id = s.organization_id and t.id = s.task_id
join run r on r.organization_id = s.organization_id and r.id = s.run_id
join workflow_version v on v.organization_id = r.organization_id and v.id = r.version_id
cross join lateral (select v.definition->'nodes'->t.node_id->>'capability' as capability) d
where s.organization_id = $1 and s.agent_id = $2 order by s.due_at nulls last, s.id limit ${MOST}`

/**
 * Gives an agent's tasks to others that can do them: those that nobody does at this moment, and with `force` those under
 * way as well (who has one is told, and its answer refused). A task that nobody else can do stays the agent's, and waits
 * until it or another is there. One that waits for a person's answer needs no agent any more and stays as it is.
 */
export async function handOverWork(
  services: Pick<Services, 'database' | 'wake'>,
  { organizationId, agentId, force }: LeavingAgent,
): Promise<HandedOver> {
  const { database, wake } = services
  const actor = systemActor(organizationId, 'lifecycle')
  const tasks = await database.readTenant<OpenTask>(actor, OPEN, [organizationId, agentId])
  const left: HandedOver = { handedOver: 0, underWay: 0, waiting: 0 }
  for (const [index, task] of tasks.entries()) {
    if (task.waitsForPerson && task.kind === 'agent') {
      if (!force) left.underWay += 1
      continue
    }
    const heirs = task.kind === 'agent' ? (task.heirs ?? []) : []
    const heir = heirs[index % Math.max(heirs.length, 1)] ?? null
    if ((task.isUnderWay && !force) || (!task.isUnderWay && !heir)) {
      left[task.isUnderWay ? 'underWay' : 'waiting'] += 1
      continue
    }
    const outcome = await retryDeadlocks(() =>
      database.transact(actor, (client) =>
        handOverTask(client, actor, { taskId: task.taskId, from: agentId, heir, force }),
      ),
    )
    left[outcome] += 1
  }
  if (tasks.length === MOST) left.underWay += 1
  if (left.handedOver > 0 || force) {
    database.announce()
    wake()
  }
  return left
}

/** What an agent did and does, for its final state. */
export interface AgentWork {
  /** Tasks by status. */
  tasks: Record<string, number>
  costUsd: number
  /** The newest first. */
  lastTasks: {
    id: string
    runId: string
    step: string
    status: string
    attempt: number
    endedAt: string | null
  }[]
  /** Tasks that wait for the agent or another that can do them. */
  waiting: number
  /** Its open items on the board, oldest first: what it holds, what is for its workers, and what it posted. */
  board: { id: string; capability: string; status: string; runId: string | null; createdAt: string }[]
}

const MOST_ITEMS = 200

/** Sums up an agent's work. */
export async function workOfAgent(
  database: Pick<Database, 'readTenant'>,
  organizationId: string,
  agentId: string,
): Promise<AgentWork> {
  const actor = systemActor(organizationId, 'lifecycle')
  const counts = await database.readTenant<{ status: string; tasks: number; cost: number }>(
    actor,
    `select status, count(*)::int as tasks, sum(cost_usd)::float8 as cost from task
     where organization_id = $1 and agent_id = $2 group by status order by status`,
    [organizationId, agentId],
  )
  const lastTasks = await database.readTenant<AgentWork['lastTasks'][number]>(
    actor,
    `select id, run_id as "runId", step_path as step, status, attempt, ended_at as "endedAt" from task
     where organization_id = $1 and agent_id = $2 order by id desc limit 50`,
    [organizationId, agentId],
  )
  const [open] = await database.readTenant<{ waiting: number }>(
    actor,
    'select count(*)::int as waiting from strand where organization_id = $1 and agent_id = $2',
    [organizationId, agentId],
  )
  const board = await database.readTenant<AgentWork['board'][number]>(
    actor,
    `select i.id, i.capability, i.status, i.run_id as "runId", i.created_at as "createdAt" from board_item i
     join agent a on a.organization_id = $1 and a.id = $2
     where i.organization_id = $1 and i.status in ('open', 'claimed') and (i.for_agent_id = a.id
       or (i.status = 'claimed' and i.agent_id = a.id and i.lease_until > clock_timestamp())
       or (i.posted_by->>'kind' = 'agent' and (i.posted_by->>'id' = a.id::text or i.posted_by->>'name' = a.name)))
     order by i.id limit ${MOST_ITEMS}`,
    [organizationId, agentId],
  )
  return {
    tasks: Object.fromEntries(counts.map(({ status, tasks }) => [status, tasks])),
    costUsd: counts.reduce((sum, { cost }) => sum + cost, 0),
    lastTasks,
    waiting: open?.waiting ?? 0,
    board,
  }
}
