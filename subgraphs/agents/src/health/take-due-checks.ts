import type { Database } from '@tutti/prisma'

/** Agents looked at in one go. */
const MOST = 50
/** Until it is known how often, an agent is looked at again after so many seconds, should its checker die. */
const AGAIN_SECONDS = 60
/** Agents of these kinds are looked at: there is somebody outside who may be gone. */
const KINDS = ['http', 'mcp', 'a2a', 'connector', 'external']

/** An agent that is due to be looked at, and taken by whoever got this. */
export interface DueCheck {
  organizationId: string
  agentId: string
}

/**
 * Takes agents of every tenant that are due: each is one process's, and comes again in a minute unless {@link noteCheck}
 * says when.
 */
export async function takeDueChecks({ database }: { database: Database }): Promise<DueCheck[]> {
  const { rows } = await database.pool('worker').query<DueCheck>(
    `with due as materialized (
       select organization_id, id from agent_health where due_at <= clock_timestamp()
       order by due_at limit ${MOST} for no key update skip locked
     )
     update agent_health h set due_at = clock_timestamp() + interval '${AGAIN_SECONDS} seconds' from due
     where h.organization_id = due.organization_id and h.id = due.id
     returning h.organization_id as "organizationId", h.id as "agentId"`,
  )
  return rows
}

/** Agents in service that nobody looks at yet are looked at from now on; the first time within a minute. */
export async function watchNewAgents({ database }: { database: Database }): Promise<void> {
  await database.pool('worker').query(
    `insert into agent_health (organization_id, id, due_at)
     select a.organization_id, a.id, clock_timestamp() + random() * interval '${AGAIN_SECONDS} seconds' from agent a
     where a.retired_at is null and a.configuration->'executor'->>'type' = any($1)
       and not exists (select from agent_health h where h.organization_id = a.organization_id and h.id = a.id)
     on conflict do nothing`,
    [KINDS],
  )
}
