import type { Actor } from '@tutti/schema'
import type { Services } from '../context.ts'

/**
 * Says what a worker outside is to be given of a task in the place of its input, before the attempt waits for one. Nothing
 * where another attempt is under way.
 */
export async function giveInput(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  { id, attempt }: { id: string; attempt: number },
  given: Record<string, unknown>,
): Promise<void> {
  await database.inSql(actor, (tx) =>
    tx.sql(
      `update task set given = $4::jsonb
       where organization_id = $1::uuid and id = $2::uuid and attempt = $3::int and status = 'running'`,
      actor.organizationId,
      id,
      attempt,
      JSON.stringify(given),
    ),
  )
}
