-- What an HTTP agent has taken on, to answer later, is nobody's to claim: there is an item for external agents alone.
create or replace function post_worker_item() returns trigger language plpgsql as $$
begin
  insert into public.board_item (organization_id, capability, input, task_id, run_id, workflow_id, posted_by, for_agent_id)
  select new.organization_id, a.name, '{}', new.task_id, new.run_id, new.workflow_id,
    '{"id": "system:worker", "kind": "system", "name": "worker"}', a.id
  from public.agent a where a.organization_id = new.organization_id and a.id = new.agent_id
    and a.executor->>'type' = 'external';
  return null;
end $$;
