import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { isConnectorName } from './connector-name.ts'

/** What an agent's configuration lets start it, in the platform's terms. */
export interface AgentTriggers {
  agentId: string
  agentName: string
  /** Schedules by their five fields, in UTC; events by their types. */
  wanted: ({ kind: 'schedule'; cron: string } | { kind: 'event'; eventType: string })[]
}

const triggers = z
  .array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('schedule'), expression: z.string() }),
      z.object({ type: z.literal('webhook'), source: z.string() }),
      z.object({ type: z.literal('event'), event_type: z.string() }),
    ]),
  )
  .nullable()
  .transform((given) => given ?? [])

/**
 * The triggers of an agent at this moment: those of the version that serves while the agent is active, else none. A call of a
 * connector is the event that it becomes; a source that no connector can be named as starts nothing. Null: no such agent.
 */
export async function agentTriggers(
  { database }: { database: Pick<Database, 'readTenant'> },
  actor: Actor,
  agentId: string,
): Promise<AgentTriggers | null> {
  const [row] = await database.readTenant<{ name: string; status: string; triggers: unknown }>(
    actor,
    `select name, status, configuration->'triggers' as triggers from agent
     where organization_id = $1::uuid and id = $2::uuid`,
    [actor.organizationId, agentId],
  )
  if (!row) return null
  const said = row.status === 'active' ? triggers.parse(row.triggers) : []
  const wanted = said.flatMap((each): AgentTriggers['wanted'] => {
    if (each.type === 'schedule') return [{ kind: 'schedule', cron: each.expression }]
    if (each.type === 'event') return [{ kind: 'event', eventType: each.event_type }]
    return isConnectorName(each.source)
      ? [{ kind: 'event', eventType: `connector.${each.source}.received` }]
      : []
  })
  return { agentId, agentName: row.name, wanted }
}
