import { isId, parseInput } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { z } from 'zod'
import type { Context } from '../../context.ts'
import { word } from '../../messaging/message-input.ts'
import { type HourOfLoad, predictLoad, WEEKS } from './predict-load.ts'

const HOUR_MS = 3_600_000

const input = z
  .object({
    agentId: z.string().nullish(),
    type: word().nullish(),
    hours: z.int().min(1, 'From 1 to 168.').max(168, 'From 1 to 168.').nullish(),
  })
  .refine(({ agentId, type }) => (agentId == null) !== (type == null), 'Say an agent or a type.')

/** What is expected of an hour: tasks under way and waiting on average. */
export interface ForecastHour {
  from: Date
  tasks: number
  weeks: number
}

/**
 * Predicts the load of an agent, or of all agents of a type together, from this hour on: 24 hours unless said. It is learnt
 * from the load of agents that have instances; nothing is known of others. BAD_INPUT, NOT_FOUND.
 */
export async function forecastLoad(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  request: object,
): Promise<ForecastHour[]> {
  const { agentId, type, hours } = parseInput(input, request, 'arguments')
  const { organizationId } = actor
  const found =
    agentId == null || isId(agentId)
      ? await database.readTenant<{ id: string }>(
          actor,
          `select id from agent where organization_id = $1::uuid and ($2::uuid is null or id = $2::uuid)
             and ($3::text is null or type = $3)`,
          [organizationId, agentId ?? null, type ?? null],
        )
      : []
  if (found.length === 0) fail('NOT_FOUND', { path: agentId == null ? 'type' : 'agentId' })
  const history = await database.readTenant<HourOfLoad>(
    actor,
    `select hour, sum(load)::float8 as load from (
       select agent_id, floor(extract(epoch from minute) / 3600)::float8 as hour, avg(running_average + queued) as load
       from agent_load where organization_id = $1::uuid and agent_id = any($2::uuid[])
         and minute >= now() - ${WEEKS * 7 + 1} * interval '1 day'
       group by 1, 2) by_agent
     group by 1 order by 1`,
    [organizationId, found.map(({ id }) => id)],
  )
  const now = Math.floor(Date.now() / HOUR_MS)
  return predictLoad(history, now, hours ?? 24).map(({ hour, load, weeks }) => ({
    from: new Date(hour * HOUR_MS),
    tasks: load,
    weeks,
  }))
}
