import type { Context } from '../../context.ts'

const MOST = 200

/** Why a line of work rests. */
export type WaitReason =
  | 'work'
  | 'agent'
  | 'turn'
  | 'person'
  | 'time'
  | 'signal'
  | 'event'
  | 'peer'
  | 'worker'
  | 'subrun'
  | 'branches'
  | 'resume'
  | 'lifting'
  | 'others'

/** What one line of work of a run waits for. */
export interface RunWaitRow {
  taskId: string | null
  path: string
  for: WaitReason
  name: string | null
  until: Date | null
  subrunId: string | null
}

/** What a run knows and waits for. */
export interface RunStateRow {
  runId: string
  state: Record<string, unknown>
  open: number
  waits: RunWaitRow[]
}

interface StrandRow {
  taskId: string | null
  path: string
  status: 'ready' | 'running' | 'waiting' | 'held'
  kind: string | null
  waitKey: string | null
  agentName: string | null
  dueAt: Date | null
  isMain: boolean
  state: Record<string, unknown>
  runStatus: string
  contained: boolean
  agentLeft: boolean
  subrunId: string | null
  open: string
}

/** A run's state at this moment, for a run that is there. */
export async function readRunState(
  { database, actor }: Context,
  run: { id: string; state: Record<string, unknown> },
): Promise<RunStateRow> {
  const rows = await database.readTenant<StrandRow>(
    actor,
    `select s.task_id as "taskId", coalesce(t.step_path, rtrim(s.path, '/')) as path, s.status, t.kind,
       s.wait_key as "waitKey", t.agent_name as "agentName", s.due_at as "dueAt", s.parent_id is null as "isMain", r.status as "runStatus",
       case when s.parent_id is null then s.state else '{}' end as state,
       s.status = 'held' and tutti_contained(s.organization_id, s.workflow_id, s.agent_id, s.run_id) as contained,
       exists (select from agent a where a.organization_id = s.organization_id and a.id = s.agent_id
         and a.status in ('draining', 'retired')) as "agentLeft",
       (select c.id from run c where c.organization_id = s.organization_id and c.parent_task_id = s.task_id
         and c.parent_strand_id = s.id order by c.id desc limit 1) as "subrunId",
       count(*) over () as open
     from strand s join run r on r.organization_id = s.organization_id and r.id = s.run_id
     left join task t on t.organization_id = s.organization_id and t.id = s.task_id
     where s.organization_id = $1 and s.run_id = $2 order by s.parent_id is not null, s.id limit ${MOST}`,
    [actor.organizationId, run.id],
  )
  return {
    runId: run.id,
    state: rows.find(({ isMain }) => isMain)?.state ?? run.state,
    open: Number(rows[0]?.open ?? 0),
    waits: rows.map((row) => ({
      taskId: row.taskId,
      path: row.path,
      for: reasonOf(row),
      name: nameOf(row),
      until: row.status === 'running' ? null : row.dueAt,
      subrunId: row.subrunId,
    })),
  }
}

function nameOf({ waitKey, agentName, status, agentLeft }: StrandRow): string | null {
  if (status === 'ready' && agentLeft) return agentName
  if (waitKey?.startsWith('worker:')) return agentName
  return waitKey?.replace(/^[a-z]+:/, '') ?? null
}

function reasonOf({
  status,
  kind,
  waitKey,
  runStatus,
  contained,
  subrunId,
  agentLeft,
}: StrandRow): WaitReason {
  if (status === 'running') return 'work'
  if (status === 'ready') return agentLeft ? 'agent' : 'turn'
  if (status === 'held') return contained ? 'lifting' : runStatus === 'paused' ? 'resume' : 'others'
  if (waitKey?.startsWith('signal:')) return 'signal'
  if (waitKey?.startsWith('event:')) return 'event'
  if (waitKey?.startsWith('board:')) return 'peer'
  if (waitKey?.startsWith('worker:')) return 'worker'
  if (subrunId !== null) return 'subrun'
  switch (kind) {
    case 'wait':
      return 'time'
    case 'workflow':
      return 'subrun'
    case 'parallel':
    case 'map':
      return 'branches'
    default:
      return 'person'
  }
}
