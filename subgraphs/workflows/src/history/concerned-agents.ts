import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'

/** An agent, or all that are in a domain; where both are given, both must fit. */
export interface AgentFilter {
  agentId?: string | null | undefined
  domainId?: string | null | undefined
}

/** An agent may change its domain: what was found is trusted so long. */
const TRUST_MS = 5_000
const MOST = 10_000

/** Whether tasks and runs are the business of the agents that a filter means. */
export interface ConcernedAgents {
  /** Whether a task's agent is one of them. */
  has(agentId: string | null): Promise<boolean>
  /** Whether one of them has, or had, a task of the run, or its version has work for one of them. */
  workIn(runId: string): Promise<boolean>
}

/**
 * Answers for one subscription. The domain of an agent is that of now, also for events of the past; an id that is none,
 * or nobody's, fits nothing.
 */
export function concernedAgents(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  { agentId, domainId }: AgentFilter,
): ConcernedAgents {
  const possible = [agentId, domainId].every((id) => id == null || isId(id))
  const agents = new Map<string, { fits: boolean; until: number }>()
  const runs = new Set<string>()
  const ask = async (text: string, about: string): Promise<boolean> => {
    const values = [actor.organizationId, about, agentId ?? null, domainId ?? null]
    const [row] = await database.readTenant<{ fits: boolean }>(actor, text, values)
    return row?.fits ?? false
  }
  return {
    async has(id) {
      if (agentId == null && domainId == null) return true
      if (!possible || id === null || (agentId != null && id !== agentId)) return false
      if (domainId == null) return true
      const known = agents.get(id)
      if (known && known.until > performance.now()) return known.fits
      const fits = await ask(IS_CONCERNED, id)
      if (agents.size >= MOST) agents.clear()
      agents.set(id, { fits, until: performance.now() + TRUST_MS })
      return fits
    },
    async workIn(runId) {
      if (agentId == null && domainId == null) return true
      if (!possible) return false
      if (runs.has(runId)) return true
      const works = await ask(WORKS_IN_RUN, runId)
      if (runs.size >= MOST) runs.clear()
      if (works) runs.add(runId)
      return works
    },
  }
}

const WANTED = `wanted as (
  select a.id, a.name, a.capabilities from agent a
  left join team m on m.organization_id = a.organization_id and m.id = a.team_id
  where a.organization_id = $1 and ($3::uuid is null or a.id = $3) and ($4::uuid is null or m.domain_id = $4)
)`

const IS_CONCERNED = `with ${WANTED} select exists (select from wanted where id = $2) as fits`

const WORKS_IN_RUN = `with ${WANTED}
select exists (
  select from task t join wanted w on w.id = t.agent_id where t.organization_id = $1 and t.run_id = $2
) or exists (
  select from run r
  join workflow_version v on v.organization_id = r.organization_id and v.id = r.version_id
  cross join lateral jsonb_each(v.definition->'nodes') as n(id, node)
  join wanted w on w.name = coalesce(n.node->>'agent', n.node->>'to') or n.node->>'capability' = any(w.capabilities)
  where r.organization_id = $1 and r.id = $2
) as fits`
