import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'

/** Where an agent belongs. */
export interface AgentPlace {
  teamId: string | null
  domainId: string | null
}

/** The team of an agent and that team's domain, null where it has none; also of an agent that there is not. */
export async function placeOfAgent(
  { database }: { database: Database },
  actor: Actor,
  agentId: string | null,
): Promise<AgentPlace> {
  if (agentId === null || !isId(agentId)) return { teamId: null, domainId: null }
  const [place] = await database.readTenant<AgentPlace>(
    actor,
    `select a.team_id as "teamId", t.domain_id as "domainId" from agent a
     left join team t on t.organization_id = a.organization_id and t.id = a.team_id
     where a.organization_id = $1::uuid and a.id = $2::uuid`,
    [actor.organizationId, agentId],
  )
  return place ?? { teamId: null, domainId: null }
}
