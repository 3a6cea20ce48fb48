import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { releaseStrands } from '../runs/control/release-strands.ts'
import { retryDeadlocks } from '../runs/control/retry-deadlocks.ts'
import type { ContainmentRow } from './containment-row.ts'

const CHUNK = 200
const FIRST = '00000000-0000-0000-0000-000000000000'

/** Lets go what a lifted order held, run by run, and notes when that is done. Repeating it changes nothing. */
export async function releaseContained(
  database: Database,
  actor: Actor,
  { id, scope, targetId }: Pick<ContainmentRow, 'id' | 'scope' | 'targetId'>,
): Promise<void> {
  const o = actor.organizationId
  for (let after: string | undefined = FIRST; after !== undefined;) {
    const from: string = after
    after = await retryDeadlocks(() =>
      database.transact(actor, async (client) => {
        const { rows } = await client.query<{ run_id: string }>(
          `select distinct s.run_id from strand s where s.organization_id = $1 and s.status = 'held' and s.run_id > $2
             and tutti_in_scope($3, $4, s.organization_id, s.workflow_id, s.agent_id, s.run_id)
           order by s.run_id limit ${CHUNK}`,
          [o, from, scope, targetId],
        )
        const runs = rows.map(({ run_id }) => run_id)
        await releaseStrands(client, o, runs)
        return runs.length === CHUNK ? runs.at(-1) : undefined
      }),
    )
  }
  await database.transact(actor, (client) =>
    client.query(
      `update containment set released_at = clock_timestamp()
       where organization_id = $1 and id = $2 and released_at is null and lifted_at is not null`,
      [o, id],
    ),
  )
}
