-- Tasks of external agents are items of the board that are bound to their agent: one an attempt.
alter table board_item add column for_agent_id uuid;

-- An attempt's item comes to be with its wait, in the same transaction.
create function post_worker_item() returns trigger language plpgsql as $$
begin
  insert into public.board_item (organization_id, capability, input, task_id, run_id, workflow_id, posted_by, for_agent_id)
  select new.organization_id, a.name, '{}', new.task_id, new.run_id, new.workflow_id,
    '{"id": "system:worker", "kind": "system", "name": "worker"}', a.id
  from public.agent a where a.organization_id = new.organization_id and a.id = new.agent_id;
  return null;
end $$;
create trigger worker_item_posted after update of wait_key on strand for each row
  when (new.wait_key is not null and new.status = 'waiting' and starts_with(new.wait_key, 'worker:')
    and old.wait_key is distinct from new.wait_key)
  execute function post_worker_item();

-- It is withdrawn when the attempt is over, whoever ended it.
create function withdraw_worker_item() returns trigger language plpgsql as $$
begin
  update public.board_item set status = 'withdrawn', ended_at = clock_timestamp(), lease_until = null
  where organization_id = new.organization_id and task_id = new.id and status in ('open', 'claimed');
  return null;
end $$;
create trigger worker_item_withdrawn after update of status on task for each row
  when (old.kind = 'agent' and old.status = 'waiting' and new.status <> 'waiting')
  execute function withdraw_worker_item();
