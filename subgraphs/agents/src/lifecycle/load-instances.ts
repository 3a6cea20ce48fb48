import type { Context } from '../context.ts'
import { needsOf } from './needs-of.ts'

/** The instances of an agent, and how many tasks they take at once; null: as many as there are. */
export interface InstancesRow {
  ready: number
  starting: number
  maxConcurrentTasks: number | null
}

interface Row {
  id: string
  configuration: unknown
  ready: number
  starting: number
}

/** Instances by agent, in one read. */
export async function loadInstances(
  { database, actor }: Context,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, InstancesRow>> {
  const rows = await database.readTenant<Row>(
    actor,
    `select a.id, jsonb_build_object('resource_requirements', coalesce(a.configuration->'resource_requirements', '{}')) as configuration,
       count(i.id) filter (where i.status = 'ready')::int as ready, count(i.id) filter (where i.status = 'starting')::int as starting
     from agent a left join agent_instance i on i.organization_id = a.organization_id and i.agent_id = a.id
     where a.organization_id = $1::uuid and a.id = any($2::uuid[]) group by a.organization_id, a.id`,
    [actor.organizationId, agentIds],
  )
  return new Map(
    rows.map(({ id, configuration, ready, starting }) => {
      const maxConcurrentTasks = ready === 0 ? null : ready * needsOf(configuration).tasks
      return [id, { ready, starting, maxConcurrentTasks }]
    }),
  )
}
