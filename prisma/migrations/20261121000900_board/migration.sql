-- The shared board: work that any peer with the capability may claim.
-- CreateTable
CREATE TABLE "board_item" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "capability" TEXT NOT NULL,
    "input" JSONB NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'open',
    "fence" INTEGER NOT NULL DEFAULT 0,
    "claimed_by" JSONB,
    "agent_id" UUID,
    "lease_until" TIMESTAMPTZ(3),
    "output" JSONB,
    "error" JSONB,
    "task_id" UUID,
    "run_id" UUID,
    "workflow_id" UUID,
    "posted_by" JSONB NOT NULL,
    "idempotency_key" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "board_item_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "board_item_organization_id_idempotency_key_key" ON "board_item"("organization_id", "idempotency_key");

-- What peers look for, the oldest first; and what a step has posted.
create index board_item_open_index on board_item (organization_id, capability, id) where status in ('open', 'claimed');
create index board_item_task_index on board_item (task_id) where task_id is not null;

call tutti_protect('board_item');
call tutti_show_worker('board_item');
grant insert, update on board_item to tutti_worker;

create function tell_of_board_item(type text, item board_item) returns void language sql as $$
  insert into log.event (organization_id, type, subject, actor, data, run_id)
  values ($2.organization_id, $1, 'board/' || $2.id, '{"id": "system:worker", "kind": "system", "name": "worker"}',
    jsonb_build_object('itemId', $2.id, 'capability', $2.capability, 'runId', $2.run_id, 'taskId', $2.task_id), $2.run_id)
$$;

-- A step's item comes to be with its task, in the same transaction, and is withdrawn when the task is over: whoever ends
-- it (an answer, a limit of time, a cancellation, an operator) cannot forget it.
create function post_board_item() returns trigger language plpgsql as $$
declare
  item public.board_item;
begin
  insert into public.board_item (organization_id, capability, input, task_id, run_id, workflow_id, posted_by)
  select new.organization_id, new.input->'$board'->>'capability', new.input - '$board', new.id, new.run_id, r.workflow_id,
    '{"id": "system:worker", "kind": "system", "name": "worker"}'
  from public.run r where r.organization_id = new.organization_id and r.id = new.run_id
  returning * into item;
  perform public.tell_of_board_item('board.posted', item);
  return null;
end $$;
create trigger board_item_posted after insert on task for each row
  when (new.kind = 'wait' and new.status = 'waiting' and new.input ? '$board') execute function post_board_item();

create function withdraw_board_item() returns trigger language plpgsql as $$
declare
  item public.board_item;
begin
  for item in
    update public.board_item set status = 'withdrawn', ended_at = clock_timestamp(), lease_until = null
    where organization_id = new.organization_id and task_id = new.id and status in ('open', 'claimed') returning *
  loop
    perform public.tell_of_board_item('board.withdrawn', item);
  end loop;
  return null;
end $$;
create trigger board_item_withdrawn after update of status on task for each row
  when (old.kind = 'wait' and old.status = 'waiting' and new.status <> 'waiting' and new.input ? '$board')
  execute function withdraw_board_item();
