-- An order to stop a workflow is about the sub-runs too that its runs wait for, whatever their workflow: so a scope is
-- looked up with the run. Runs are looked at only where work is of another workflow than the order's.
drop function tutti_begins_contained(uuid, uuid, boolean, uuid, jsonb);
drop function tutti_contained(uuid, uuid, uuid);
drop function tutti_in_scope(text, uuid, uuid, uuid, uuid);

-- Whether a run waits for this one, or for one that waits for it, and is of the workflow.
create function tutti_is_below(organization uuid, workflow uuid, run uuid) returns boolean
  language sql stable as $$
  with recursive above as (
    select p.id, p.workflow_id, p.parent_run_id, p.parent_strand_id from run r
    join run p on p.id = r.parent_run_id and p.organization_id is not distinct from r.organization_id
    where r.id = $3 and r.organization_id is not distinct from $1 and r.parent_strand_id is not null
    union all
    select p.id, p.workflow_id, p.parent_run_id, p.parent_strand_id from above a
    join run p on p.id = a.parent_run_id and p.organization_id is not distinct from $1
    where a.parent_strand_id is not null
  ) select exists (select from above a where a.workflow_id = $2) $$;

-- Whether work in this run, of this workflow, by this agent (null: by the engine) is what an order names.
create function tutti_in_scope(scope text, target uuid, organization uuid, workflow uuid, agent uuid, run uuid)
  returns boolean language sql stable as $$
  select coalesce(case $1
    when 'organization' then true
    when 'workflow' then $4 = $2 or tutti_is_below($3, $2, $6)
    when 'agent' then $5 = $2
    when 'domain' then exists (
      select from agent a join team t on t.organization_id = a.organization_id and t.id = a.team_id
      where a.organization_id = $3 and a.id = $5 and t.domain_id = $2)
  end, false) $$;

-- Whether an order to stop it stands. Statements ask `exists (select from containment where lifted_at is null)` before,
-- once for all their rows.
create function tutti_contained(organization uuid, workflow uuid, agent uuid, run uuid) returns boolean
  language sql stable as $$
  select exists (select from containment c where c.lifted_at is null and c.organization_id = $1
    and tutti_in_scope(c.scope, c.target_id, $1, $2, $3, $4)) $$;

-- Whether a worker that writes would go on at once with contained work: the strand's own next task, or a child's first.
create function tutti_begins_contained(organization uuid, workflow uuid, run uuid, keep boolean, agent uuid, strands jsonb)
  returns boolean language sql stable as $$
  select ($4 and tutti_contained($1, $2, $5, $3)) or exists (
    select from jsonb_to_recordset($6) as n(workflow uuid, agent uuid, claim uuid)
    where n.claim is not null and tutti_contained($1, n.workflow, n.agent, $3)) $$;
