import type pg from 'pg'
import { UNDER_WAY } from './claim-room.ts'

/**
 * How many tasks more each of these agents may do at once, of those that are limited; 0 at least. Locks their limits until
 * the caller's transaction ends, and waits for who has them: whoever asks next sees what this one has taken.
 */
export async function roomOfAgents(
  client: Pick<pg.ClientBase, 'query'>,
  organizationId: string,
  agents: readonly string[],
): Promise<Map<string, number>> {
  const { rows: limits } = await client.query<{ agent: string; most: number }>(
    `select l.subject as agent, l.max_running as most from engine_limit l
     where l.organization_id = $1 and l.scope = 'agent' and l.counts <> 'runs' and l.max_running is not null
       and l.subject = any($2::text[]) order by l.id for no key update`,
    [organizationId, agents],
  )
  if (limits.length === 0) return new Map()
  const { rows: busy } = await client.query<{ agent: string; running: number }>(
    `select s.agent_id as agent, count(*)::int as running from (${UNDER_WAY}) s where s.agent_id = any($2::uuid[])
     group by s.agent_id`,
    [[organizationId], agents],
  )
  const running = new Map(busy.map((row) => [row.agent, row.running]))
  const rooms = new Map<string, number>()
  for (const { agent, most } of limits) {
    const room = Math.max(0, most - (running.get(agent) ?? 0))
    rooms.set(agent, Math.min(room, rooms.get(agent) ?? room))
  }
  return rooms
}
