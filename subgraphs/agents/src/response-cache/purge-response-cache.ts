import type { Database } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'

const inputSchema = z.object({ modelId: z.string().min(1).max(300).nullish(), agentId: z.string().nullish() })

/**
 * Forgets answers of models that the organization keeps: all, or those of a model, of an agent's calls, of both. What the
 * database had is gone with this; the event tells every worker to forget what it has in memory and in Redis. The answer is
 * how many the database had. Events: cache.purged. NOT_FOUND when there is no such agent.
 */
export async function purgeResponseCache(
  { database }: { database: Database },
  actor: Actor,
  request: z.input<typeof inputSchema>,
): Promise<number> {
  const { modelId = null, agentId = null } = parseInput(inputSchema, request)
  if (agentId !== null && !isId(agentId)) fail('NOT_FOUND', { path: 'input.agentId' })
  return database.inTenant(actor, async (tx) => {
    if (agentId !== null) {
      const agents = await tx.sql(
        'select id from agent where organization_id = $1::uuid and id = $2::uuid',
        actor.organizationId,
        agentId,
      )
      if (agents.length === 0) fail('NOT_FOUND', { path: 'input.agentId' })
    }
    const [row] = await tx.sql<{ deleted: number }>(
      `with gone as (delete from model_response where organization_id = $1::uuid
         and ($2::text is null or model_id = $2) and ($3::uuid is null or agent_id = $3::uuid) returning id)
       select count(*)::int as deleted from gone`,
      actor.organizationId,
      modelId,
      agentId,
    )
    const deleted = row?.deleted ?? 0
    await tx.appendEvent({
      type: 'cache.purged',
      subject: 'response_cache',
      data: { modelId, agentId, deleted },
    })
    return deleted
  })
}
