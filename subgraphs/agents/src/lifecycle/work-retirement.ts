import type { Database } from '@tutti/prisma'
import { systemActor } from '@tutti/schema'
import type pg from 'pg'

/** An agent on its way out, or one that is gone and may have work waiting. */
export interface LeavingAgent {
  organizationId: string
  agentId: string
  status: 'draining' | 'retired'
}

/** Agents that are draining, and gone ones of whose work some is due. Needs the role `worker`. */
export async function findLeavingAgents(pool: Pick<pg.Pool, 'query'>): Promise<LeavingAgent[]> {
  const { rows } = await pool.query<LeavingAgent>(
    `select organization_id as "organizationId", id as "agentId", status from agent where status = 'draining'
     union all
     select distinct s.organization_id, s.agent_id, 'retired' from engine_limit l
     join strand s on s.organization_id = l.organization_id and s.agent_id::text = l.subject
       and s.status = 'ready' and s.due_at <= clock_timestamp()
     join agent a on a.organization_id = s.organization_id and a.id = s.agent_id and a.status = 'retired'
     where l.source = 'instances' and l.max_running = 0`,
  )
  return rows
}

/** How far an agent's way out is. */
export interface Retirement {
  id: string
  /** Whether what is under way had its time. */
  isOverdue: boolean
  /** Whether every process knows by now that it takes no work. */
  isKnown: boolean
}

/** The retirement under way of an agent; undefined when it is none, or over. */
export async function readRetirement(
  { database }: { database: Database },
  { organizationId, agentId }: LeavingAgent,
): Promise<Retirement | undefined> {
  const [row] = await database.readTenant<Retirement>(
    systemActor(organizationId, 'lifecycle'),
    `select id, deadline <= clock_timestamp() as "isOverdue",
       created_at + interval '2 seconds' <= clock_timestamp() as "isKnown"
     from agent_retirement where organization_id = $1 and agent_id = $2 and status = 'draining'`,
    [organizationId, agentId],
  )
  return row
}

/** Adds to what was handed over. */
export async function noteHandedOver(
  { database }: { database: Database },
  { organizationId, agentId }: LeavingAgent,
  count: number,
): Promise<void> {
  if (count === 0) return
  await database.inTenant(systemActor(organizationId, 'lifecycle'), (tx) =>
    tx.sql(
      `update agent_retirement set handed_over = handed_over + $3::int
       where organization_id = $1::uuid and agent_id = $2::uuid and status = 'draining' returning id`,
      organizationId,
      agentId,
      count,
    ),
  )
}

const MOST_MESSAGES = 200
const MOST_BODY_BYTES = 4_096

/** What waits in the inbox of `r.agent_id`: how much, and the most urgent with their bodies, where those are small. */
const INBOX = `(select jsonb_build_object('waiting', count(*), 'messages', coalesce(jsonb_agg(jsonb_build_object(
    'id', m.id, 'kind', m.kind, 'sender', m.sender, 'priority', (array['low', 'normal', 'high', 'urgent'])[m.priority + 1],
    'deliveries', m.deliveries, 'createdAt', m.created_at, 'expiresAt', m.expires_at,
    'body', case when octet_length(m.body::text) <= ${MOST_BODY_BYTES} then m.body end)
    order by m.place) filter (where m.place <= ${MOST_MESSAGES}), '[]'))
  from (select *, row_number() over (order by priority desc, id) as place from agent_message
    where organization_id = r.organization_id and to_agent_id = r.agent_id and ended_at is null
      and expires_at > clock_timestamp()) m)`

/**
 * Ends a retirement: the final state is kept with the versions and the inbox, instances and what was set aside for them
 * go, and the agent is unregistered. Undone by nobody but a new registration. False when it was not draining any more.
 */
export async function finishRetirement(
  { database }: { database: Database },
  { organizationId, agentId }: LeavingAgent,
  work: unknown,
): Promise<boolean> {
  const actor = systemActor(organizationId, 'lifecycle')
  return database.inTenant(actor, async (tx) => {
    const [agent] = await tx.sql<{ name: string }>(
      `update agent set status = 'retired', retired_at = now(), updated_at = now()
       where organization_id = $1::uuid and id = $2::uuid and status = 'draining' returning name`,
      organizationId,
      agentId,
    )
    if (!agent) return false
    const { name } = agent
    await tx.sql(
      `update agent_retirement r set status = 'retired', ended_at = now(), final_state = jsonb_build_object(
         'agent', (select jsonb_build_object('id', a.id, 'name', a.name, 'type', a.type, 'servingVersion', a.serving_version,
           'capabilities', a.capabilities) from agent a where a.organization_id = r.organization_id and a.id = r.agent_id),
         'versions', (select coalesce(jsonb_agg(jsonb_build_object('number', v.number, 'version', v.version,
           'configuration', v.configuration, 'createdBy', v.created_by, 'createdAt', v.created_at) order by v.number), '[]')
           from agent_version v where v.organization_id = r.organization_id and v.agent_id = r.agent_id),
         'instances', (select count(*) from agent_instance i where i.organization_id = r.organization_id and i.agent_id = r.agent_id),
         'inbox', ${INBOX},
         'work', $3::jsonb,
         'handedOver', r.handed_over)
       where r.organization_id = $1::uuid and r.agent_id = $2::uuid and r.status = 'draining' returning r.id`,
      organizationId,
      agentId,
      JSON.stringify(work),
    )
    for (const table of ['agent_instance', 'agent_allocation'])
      await tx.sql(
        `delete from ${table} where organization_id = $1::uuid and agent_id = $2::uuid returning id`,
        organizationId,
        agentId,
      )
    await tx.appendEvent({ type: 'agent.retired', subject: `agent/${agentId}`, data: { agentId, name } })
    return true
  })
}
