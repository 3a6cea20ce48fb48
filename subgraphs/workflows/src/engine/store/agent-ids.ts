import type pg from 'pg'
import type { Transition } from '../core/index.ts'

const TRUST_MS = 5_000
const LIMIT = 10_000

/** Agent ids by organization and name, remembered for five seconds; a name not found is asked for again. */
export interface AgentIds {
  /** Ids of the agents that the transitions name. */
  of(
    client: pg.ClientBase,
    organizationId: string,
    transitions: readonly Transition[],
  ): Promise<Map<string, string>>
}

export function createAgentIds(now: () => number = Date.now): AgentIds {
  const known = new Map<string, { id: string; until: number }>()
  return {
    async of(client, organizationId, transitions) {
      const names = new Set(
        transitions.flatMap((each) =>
          each.type === 'create_task' && each.kind === 'agent' ? [each.agent] : [],
        ),
      )
      const found = new Map<string, string>()
      const missing: string[] = []
      for (const name of names) {
        const entry = known.get(`${organizationId}/${name}`)
        if (entry && entry.until > now()) found.set(name, entry.id)
        else missing.push(name)
      }
      if (missing.length === 0) return found
      if (known.size > LIMIT) known.clear()
      const { rows } = await client.query<{ id: string; name: string }>(
        'select id, name from agent where organization_id = $1 and name = any($2) and retired_at is null',
        [organizationId, missing],
      )
      for (const { id, name } of rows) {
        known.set(`${organizationId}/${name}`, { id, until: now() + TRUST_MS })
        found.set(name, id)
      }
      return found
    },
  }
}
