-- A budget of a run bounds the runs of its sub-workflows too: what one of them spends counts in its own, in that of the run
-- that began it, and so on up to the first.
create or replace function tutti_budgets_of(organization uuid, agent uuid, run uuid, workflow uuid, path text, node text)
  returns table (budget_id uuid, subject text, since timestamptz, max_usd numeric, max_tokens bigint, max_calls bigint)
  language sql stable as $$
  with recursive line(id, workflow_id) as (
    select run, workflow where run is not null
    union
    select p.id, p.workflow_id from line l
    join public.run r on r.organization_id = organization and r.id = l.id
    join public.run p on p.organization_id = organization and p.id = r.parent_run_id
  )
  select b.id, subjects.subject,
    case b."window" when 'day' then public.tutti_day_start(organization) else timestamptz '1970-01-01T00:00:00Z' end,
    b.max_usd, b.max_tokens, b.max_calls
  from public.budget b
  left join public.agent a on a.organization_id = organization and a.id = agent
  left join public.team t on t.organization_id = organization and t.id = a.team_id
  cross join lateral (
    select line.id::text as subject from line where b.scope = 'run' and coalesce(b.run_id, line.id) = line.id
      and (b.workflow_id is null or b.workflow_id = line.workflow_id)
    union all
    select case b.scope when 'step' then run || '/' || path else '' end where case b.scope
      when 'organization' then true
      when 'domain' then b.domain_id = t.domain_id
      when 'team' then b.team_id = a.team_id
      when 'agent' then b.agent_id = agent
      when 'step' then run is not null and path is not null and coalesce(b.run_id, run) = run
        and (b.workflow_id is null or b.workflow_id = workflow) and (b.step is null or b.step = node)
      else false end
  ) subjects
  where b.organization_id = organization
$$;
