import type { Actor, Place } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { type Reference, referencesOf } from './references-of.ts'

const NOWHERE: readonly Place[] = [{ domainId: null, teamId: null }]

/**
 * Where the things are that mutations are about, in their order: of an agent its team; of a workflow, and of a run, the
 * teams of the agents that its steps name, and nowhere in particular when a step may come to anybody; of a task its
 * agent's team. What names nothing, or nothing that there is, is nowhere in particular: another tenant's is as one that
 * there is not. One query for all.
 */
export async function placesOf(
  { database }: DomainServices,
  actor: Actor,
  mutations: readonly { field: string; arguments: Readonly<Record<string, unknown>> }[],
): Promise<(readonly Place[])[]> {
  const references = mutations.flatMap((mutation, call) =>
    referencesOf(mutation.field, mutation.arguments).map((each): Reference & { call: number } => ({
      ...each,
      call,
    })),
  )
  if (references.length === 0) return mutations.map(() => NOWHERE)
  const found = await database.readTenant<Place & { call: number }>(actor, PLACES, [
    actor.organizationId,
    JSON.stringify(references),
  ])
  return mutations.map((_, place) => {
    const own = found.filter(({ call }) => call === place)
    return own.length > 0 ? own.map(({ domainId, teamId }) => ({ domainId, teamId })) : NOWHERE
  })
}

const PLACES = `with given as materialized (
    select call, kind, id, name from jsonb_to_recordset($2::jsonb) as r (call int, kind text, id uuid, name text)
  ), about as materialized (
    select call, kind, id, name from given
    union all
    select g.call, of.kind, of.id, null from given g
      join budget b on b.organization_id = $1 and b.id = g.id,
      lateral (values ('agent', b.agent_id), ('team', b.team_id), ('domain', b.domain_id),
        ('workflow', b.workflow_id), ('run', b.run_id)) of (kind, id)
      where g.kind = 'budget'
    union all
    select g.call, l.scope, case when l.scope in ('agent', 'workflow') then l.subject::uuid end, null from given g
      join engine_limit l on l.organization_id = $1 and l.id = g.id where g.kind = 'limit'
    union all
    select g.call, 'workflow', t.workflow_id, null from given g
      join trigger t on t.organization_id = $1 and t.id = g.id where g.kind = 'trigger'
    union all
    select g.call, 'agent', c.agent_id, null from given g
      join credential c on c.organization_id = $1 and c.id = g.id where g.kind = 'credential'
    union all
    select g.call, of.kind, of.id, null from given g
      join incident i on i.organization_id = $1 and i.id = g.id,
      lateral (values ('workflow', i.workflow_id), ('team', i.team_id)) of (kind, id) where g.kind = 'incident'
    union all
    select g.call, p.scope, p.scope_id, null from given g
      join escalation_policy p on p.organization_id = $1 and p.id = g.id where g.kind = 'escalationPolicy'
    union all
    select g.call, of.kind, of.id, null from given g
      join role_assignment a on a.organization_id = $1 and a.id = g.id,
      lateral (values ('domain', a.domain_id), ('team', a.team_id)) of (kind, id) where g.kind = 'assignment'
    union all
    select g.call, c.scope, c.target_id, null from given g
      join containment c on c.organization_id = $1 and c.id = g.id where g.kind = 'containment'
  ), worked as materialized (
    select a.call, t.agent_id, t.run_id from about a
      join task t on t.organization_id = $1 and t.id = a.id where a.kind = 'task'
  ), version as (
    select r.call, run.version_id as id
      from (select call, id from about where kind = 'run'
        union select call, run_id from worked where agent_id is null) r
      join run on run.organization_id = $1 and run.id = r.id
    union
    select f.call, v.id
      from (select a.call, w.id from about a join workflow w on w.organization_id = $1 and w.id = a.id
          where a.kind = 'workflow'
        union select a.call, w.id from about a join workflow w on w.organization_id = $1 and w.name = a.name
          where a.kind = 'workflow') f
      join workflow w on w.organization_id = $1 and w.id = f.id
      join workflow_version v on v.organization_id = $1 and v.workflow_id = w.id
        and v.version = coalesce(w.published_version, w.latest_version)
  ), worker as (
    select distinct x.call, who.name from version x
      join workflow_version v on v.organization_id = $1 and v.id = x.id,
      lateral jsonb_each(v.definition -> 'nodes') as step (key, node),
      lateral (
        select node ->> 'agent' as name where node ->> 'kind' = 'task'
        union all
        select node -> 'compensate' ->> 'agent' where node ->> 'kind' = 'task' and node ? 'compensate'
        union all
        select null where node ->> 'kind' in ('workflow', 'message') or node ? 'plan'
      ) who
  ), agents as (
    select a.call, g.team_id from about a join agent g on g.organization_id = $1 and g.id = a.id where a.kind = 'agent'
    union
    select a.call, g.team_id from about a join agent g on g.organization_id = $1 and g.name = a.name
      where a.kind = 'agent'
    union
    select w.call, g.team_id from worked w join agent g on g.organization_id = $1 and g.id = w.agent_id
    union
    select w.call, g.team_id from worker w left join agent g on g.organization_id = $1 and g.name = w.name
    union
    select a.call, t.id from about a join team t on t.organization_id = $1 and t.id = a.id where a.kind = 'team'
  )
  select a.call, a.team_id as "teamId", t.domain_id as "domainId" from agents a
    left join team t on t.organization_id = $1 and t.id = a.team_id
  union
  select a.call, null, d.id from about a join domain d on d.organization_id = $1 and d.id = a.id where a.kind = 'domain'`
