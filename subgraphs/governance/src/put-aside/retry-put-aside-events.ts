import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { line } from '../input/text.ts'

const inputSchema = z.object({ consumer: line().nullish() })

/**
 * Has what was put aside handled once more, by the workers within some seconds. Output: how many events. Events:
 * event.taken_again, where there are any.
 */
export async function retryPutAsideEvents(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<number> {
  const { consumer = null } = parseInput(inputSchema, input)
  return database.inTenant(actor, async (tx) => {
    const rows = await tx.sql(
      `update put_aside_event set status = 'again'
       where organization_id = $1::uuid and status = 'aside' and ($2::text is null or consumer = $2) returning id`,
      actor.organizationId,
      consumer,
    )
    if (rows.length > 0)
      await tx.appendEvent({
        type: 'event.taken_again',
        subject: `organization/${actor.organizationId}`,
        data: { consumer, count: rows.length },
      })
    return rows.length
  })
}
