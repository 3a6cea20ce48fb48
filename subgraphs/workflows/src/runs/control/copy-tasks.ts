import type { Actor } from '@tutti/schema'
import type pg from 'pg'

/** Copies tasks, with everything below them, to another run: as they ended, and at no cost, since it was paid already. */
export async function copyTasks(
  client: Pick<pg.ClientBase, 'query'>,
  { organizationId }: Actor,
  ids: readonly string[],
  runId: string,
): Promise<void> {
  await client.query(
    `with recursive kept(id) as (
       select * from unnest($2::uuid[])
       union all
       select t.id from kept k join task t on t.organization_id = $1 and t.parent_id = k.id
     ), renamed as materialized (
       select id, uuidv7() as new_id from (select id from kept order by id) k
     )
     insert into task (organization_id, id, run_id, step_path, generation, node_id, kind, agent_id, agent_name, agent_version,
       status, attempt, input, output, error, timeout_ms, parent_id, position, arrival, progress, created_at, started_at, ended_at)
     select t.organization_id, n.new_id, $3, t.step_path, t.generation, t.node_id, t.kind, t.agent_id, t.agent_name, t.agent_version, t.status,
       t.attempt, t.input, t.output, t.error, t.timeout_ms, p.new_id, t.position, t.arrival, t.progress, t.created_at,
       t.started_at, t.ended_at
     from renamed n join task t on t.organization_id = $1 and t.id = n.id left join renamed p on p.id = t.parent_id`,
    [organizationId, ids, runId],
  )
}
