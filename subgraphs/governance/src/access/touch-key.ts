import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'

/** Notes that a key was used, once a minute at most. Never throws: the note is not worth a caller's failure. */
export async function touchKey({ database }: DomainServices, actor: Actor, keyId: string): Promise<void> {
  await database
    .inTenant(actor, (tx) =>
      tx.sql(
        `update api_key set last_used_at = now() where organization_id = $1::uuid and id = $2::uuid
           and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
        actor.organizationId,
        keyId,
      ),
    )
    .catch(() => undefined)
}
