import type { Actor } from '@tutti/schema'
import type { Database } from '../tenancy/open-database.ts'

/**
 * What people of the actor's organization are called, by id: as their principal is, or as their last token said. `erased`
 * of whom was forgotten; whoever nobody knows is left out.
 */
export async function loadNames(
  { database, actor }: { database: Pick<Database, 'readTenant'>; actor: Actor },
  ids: readonly string[],
): Promise<Map<string, string>> {
  const rows = await database.readTenant<{ id: string; name: string }>(
    actor,
    `select id, name from known_person where organization_id = $1 and id = any($2::text[])
     union all
     select id::text, case when name = 'erased ' || id then 'erased' else name end from principal
     where organization_id = $1
       and id = any(array(select x::uuid from unnest($2::text[]) x where pg_input_is_valid(x, 'uuid')))`,
    [actor.organizationId, ids],
  )
  return new Map(rows.map(({ id, name }) => [id, name]))
}
