import type pg from 'pg'
import type { Arrival, CoreEvent, UndoableStep } from '../core/index.ts'
import type { ClaimedRow } from './claim-strands.ts'
import type { HeldStrand, HeldTask, RunContext } from './held-strand.ts'

const MOST_RUNS = 5_000
const MOST_SCOPES = 2_000

type State = Readonly<Record<string, unknown>>
interface Scope {
  state: State
  parentId: string | null
  parentTaskId: string | null
}

/** Turns claimed rows into strands the core can be shown, remembering what cannot change meanwhile. */
export interface StrandReader {
  hold(client: Pick<pg.ClientBase, 'query'>, rows: readonly ClaimedRow[]): Promise<HeldStrand[]>
  /** A run's context as its starter knows it, so that the first claim need not read it. */
  remember(run: RunContext): void
}

export function createStrandReader(): StrandReader {
  const runs = new Map<string, RunContext>()
  // By the compound task whose children look out on it: while they live, the state around them is frozen.
  const scopes = new Map<string, Scope>()

  function remember(run: RunContext): RunContext {
    if (runs.size >= MOST_RUNS) runs.clear()
    runs.set(run.id, run)
    return run
  }

  async function contextsOf(client: Pick<pg.ClientBase, 'query'>, rows: readonly ClaimedRow[]) {
    // What is remembered now: it may be forgotten while others are read.
    const before = rows.map((row) => runs.get(row.run_id))
    const large = rows
      .filter((row, index) => row.run_input === null && !before[index])
      .map((row) => row.run_id)
    const inputs = new Map<string, Record<string, unknown>>()
    if (large.length > 0) {
      const found = await client.query<{ id: string; input: Record<string, unknown> }>(
        'select id, input from run where id = any($1::uuid[])',
        [[...new Set(large)]],
      )
      for (const { id, input } of found.rows) inputs.set(id, input)
    }
    return rows.map((row, index) => {
      const known = before[index]
      if (known && known.versionId === row.version_id) return known
      const input = row.run_input ?? inputs.get(row.run_id) ?? known?.input ?? {}
      return remember(contextOf(row, input))
    })
  }

  /** The scopes around these rows by their tasks: what is remembered may be forgotten while others are read. */
  async function scopesAround(
    client: Pick<pg.ClientBase, 'query'>,
    rows: readonly ClaimedRow[],
  ): Promise<ReadonlyMap<string, Scope>> {
    const around = new Map<string, Scope>()
    const missing = new Set<string>()
    for (const { parent_id, parent_task_id } of rows)
      for (let id = parent_task_id; id !== null;) {
        const scope = around.get(id) ?? scopes.get(id)
        if (!scope && parent_id) missing.add(parent_id)
        if (scope) around.set(id, scope)
        id = scope?.parentTaskId ?? null
      }
    if (missing.size === 0) return around
    const found = await client.query<{
      id: string
      task_id: string
      state: State
      parent_id: string | null
      parent_task_id: string | null
    }>(
      `with recursive around as (
         select s.id, s.task_id, s.state, s.parent_id, s.parent_task_id from strand s where s.id = any($1::uuid[])
         union
         select s.id, s.task_id, s.state, s.parent_id, s.parent_task_id from around a join strand s on s.id = a.parent_id
       ) select * from around`,
      [[...missing]],
    )
    if (scopes.size >= MOST_SCOPES) scopes.clear()
    for (const { task_id, state, parent_id, parent_task_id } of found.rows) {
      const scope = { state, parentId: parent_id, parentTaskId: parent_task_id }
      scopes.set(task_id, scope)
      around.set(task_id, scope)
    }
    return around
  }

  return {
    remember: (run) => void remember(run),
    async hold(client, rows) {
      const contexts = await contextsOf(client, rows)
      const around = await scopesAround(client, rows)
      return rows.map((row, index) =>
        heldOf(
          row,
          contexts[index] ?? contextOf(row, row.run_input ?? {}),
          outerOf(around, row.parent_task_id),
        ),
      )
    },
  }
}

/** The states around a strand, the innermost first. */
function outerOf(around: ReadonlyMap<string, Scope>, parentTaskId: string | null): State[] {
  const states: State[] = []
  for (let id = parentTaskId; id !== null;) {
    const scope = around.get(id)
    if (!scope) break
    states.push(scope.state)
    id = scope.parentTaskId
  }
  return states
}

/** A claimed row as the strand it is; `outer` are the states around it, the innermost first. */
export function heldOf(row: ClaimedRow, run: RunContext, outer: readonly State[]): HeldStrand {
  return {
    id: row.id,
    fence: row.fence,
    epoch: row.epoch,
    runStatus: row.run_status,
    run,
    parentId: row.parent_id,
    parentTaskId: row.parent_task_id,
    compound: row.compound,
    key: row.key,
    position: row.position,
    path: row.path,
    state: row.state,
    outer,
    task: taskOf(row),
    resume: row.resume ? wordOf(row, row.resume) : timerOf(row),
    generation: row.strand_generation,
    limitKey: row.limit_key,
    ordered: row.ordered,
    recoveries: row.recoveries,
  }
}

/** What a claimed row says of its run. */
export function contextOf(row: ClaimedRow, input: Record<string, unknown>): RunContext {
  return {
    organizationId: row.organization_id,
    id: row.run_id,
    workflowId: row.workflow_id,
    workflowName: row.workflow_name,
    versionId: row.version_id,
    input,
    createdAt: row.run_created_at,
    priority: row.run_priority,
    depth: row.run_depth,
    parentStrandId: row.parent_strand_id,
  }
}

function taskOf(row: ClaimedRow): HeldTask | null {
  if (row.task_id === null || row.node_id === null || row.kind === null || row.task_status === null)
    return null
  return {
    id: row.task_id,
    nodeId: row.node_id,
    path: row.step_path ?? '',
    kind: row.kind,
    status: row.task_status,
    generation: row.generation ?? 0,
    attempt: row.attempt ?? 0,
    input: row.input ?? {},
    timeoutMs: row.timeout_ms ?? 0,
    agentId: row.agent_id,
    agentName: row.agent_name,
    createdMs: row.created_ms ?? 0,
  }
}

/** The word that woke it; who wrote it did not always know the node. */
function wordOf(row: ClaimedRow, resume: CoreEvent): CoreEvent {
  return 'node' in resume ? { ...resume, node: row.node_id ?? resume.node } : resume
}

/**
 * What it means that a strand at a wait is claimed without a word: its time has passed, perhaps in the hands of a worker
 * that is gone. Whether a wait is over or has expired, its node says.
 */
function timerOf(row: ClaimedRow): CoreEvent | null {
  const node = row.node_id ?? ''
  if (row.kind === 'review') return { type: 'review_expired', node }
  return row.kind === 'wait' || row.kind === 'workflow' ? { type: 'wait_expired', node } : null
}

/** How the children of a strand at a compound task have arrived, by position; null for those that have not. */
export async function readArrivals(
  client: Pick<pg.ClientBase, 'query'>,
  { id, taskId }: { id: string; taskId: string },
): Promise<(Arrival | null)[]> {
  const { rows } = await client.query<{ position: number; arrival: Arrival | null; output: unknown }>(
    `select position, arrival, case when arrival->'value' is null then output end as output from task
     where parent_id = $1 and arrival is not null
     union all select position, null, null from strand where parent_id = $2`,
    [taskId, id],
  )
  const arrivals: (Arrival | null)[] = Array.from({ length: rows.length }, () => null)
  for (const { position, arrival, output } of rows)
    arrivals[position] =
      arrival?.ok && !('value' in arrival) ? { ...(arrival as object), ok: true, value: output } : arrival
  return arrivals
}

/**
 * The completed steps of a run that can be undone, newest first. Of those that ended in one millisecond the one that began
 * later: ids are of their writers' clocks.
 */
export async function readUndoable(
  client: Pick<pg.ClientBase, 'query'>,
  runId: string,
  nodes: readonly string[],
): Promise<UndoableStep[]> {
  const { rows } = await client.query<UndoableStep>(
    `select t.node_id as node, t.step_path as path, t.input, t.output from run r
     join task t on t.organization_id = r.organization_id and t.run_id = r.id
     where r.id = $1 and t.status = 'completed' and t.node_id = any($2) and t.step_path not like '%~undo'
     order by t.ended_at desc, t.created_at desc, t.id desc`,
    [runId, nodes],
  )
  return rows
}
