import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'

/** Who started a run: itself, or the first of those that it was started by. None when there is no such run. */
export async function starterOf(
  { database }: { database: Database },
  actor: Actor,
  runId: string,
): Promise<{ id: string; kind: string } | undefined> {
  const [starter] = await database.readTenant<{ id: string; kind: string }>(
    actor,
    `with recursive above as (
       select id, parent_run_id, started_by from run where organization_id = $1 and id = $2
       union all
       select r.id, r.parent_run_id, r.started_by from above a
       join run r on r.organization_id = $1 and r.id = a.parent_run_id
     )
     select started_by->>'id' as id, started_by->>'kind' as kind from above where parent_run_id is null`,
    [actor.organizationId, runId],
  )
  return starter
}
