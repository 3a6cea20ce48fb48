import type pg from 'pg'
import type { WorkflowDefinition } from '../definitions/index.ts'
import type { RunStatus } from '../engine/core/index.ts'
import type { RunPosition, StrandPosition } from './check-migration.ts'

/** A run that may be moved, and where it is. */
export interface PlacedRun {
  id: string
  status: RunStatus
  versionId: string
  /** The number of its version, and what that says. */
  version: number
  definition: WorkflowDefinition
  position: RunPosition
}

type Client = Pick<pg.ClientBase, 'query'>

interface RunRow {
  id: string
  status: RunStatus
  versionId: string
  version: number
  definition: WorkflowDefinition
  input: string[]
}

type StrandRow = StrandPosition & { runId: string }

/** Where runs are, those of one tenant, as the caller's transaction sees (or has locked) them; in the order of their ids. */
export async function readPositions(
  client: Client,
  organizationId: string,
  ids: readonly string[],
): Promise<PlacedRun[]> {
  const values = [organizationId, ids]
  const { rows: runs } = await client.query<RunRow>(
    `select r.id, r.status, r.version_id as "versionId", v.version, v.definition,
       case jsonb_typeof(r.input) when 'object' then array(select jsonb_object_keys(r.input)) else '{}' end as input
     from run r join workflow_version v on v.organization_id = r.organization_id and v.id = r.version_id
     where r.organization_id = $1 and r.id = any($2::uuid[]) order by r.id`,
    values,
  )
  const { rows: strands } = await client.query<StrandRow>(
    `select s.run_id as "runId", s.id, s.parent_id as "parentId", s.compound, s.key,
       array(select n from jsonb_object_keys(s.state) n where n not like '$%') as names,
       case when t.id is not null then jsonb_build_object('id', t.id, 'node', t.node_id, 'kind', t.kind, 'path', t.step_path)
         end as task,
       case when s.resume->>'type' = 'step_entered' then s.resume->>'node' end as entering
     from strand s left join task t on t.organization_id = s.organization_id and t.id = s.task_id
     where s.organization_id = $1 and s.run_id = any($2::uuid[])`,
    values,
  )
  const { rows: arrived } = await client.query<RunPosition['arrived'][number] & { runId: string }>(
    `select c.run_id as "runId", c.parent_id as "taskId", (c.arrival->>'ok')::boolean as ok,
       case jsonb_typeof(c.arrival->'state') when 'object' then array(select jsonb_object_keys(c.arrival->'state'))
         else '{}' end as names
     from strand s join task c on c.organization_id = s.organization_id and c.parent_id = s.task_id
     where s.organization_id = $1 and s.run_id = any($2::uuid[]) and c.arrival is not null`,
    values,
  )
  const strandsOf = Map.groupBy(strands, ({ runId }) => runId)
  const arrivedOf = Map.groupBy(arrived, ({ runId }) => runId)
  return runs.map(({ input, ...run }) => ({
    ...run,
    position: { input, strands: strandsOf.get(run.id) ?? [], arrived: arrivedOf.get(run.id) ?? [] },
  }))
}
