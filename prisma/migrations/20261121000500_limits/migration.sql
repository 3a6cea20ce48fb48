-- Limits, the settings they may come from, and what tasks cost.
-- CreateTable
CREATE TABLE "engine_limit" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "subject" TEXT NOT NULL DEFAULT '',
    "counts" TEXT NOT NULL,
    "per_key" TEXT,
    "max_running" INTEGER,
    "max_starts" INTEGER,
    "per_seconds" INTEGER,
    "max_cost_usd" DECIMAL(14,6),
    "tokens" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "refilled_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "engine_limit_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "engine_settings" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "version" INTEGER NOT NULL,
    "document" TEXT NOT NULL,
    "in_force" JSONB NOT NULL,
    "applied_by" JSONB NOT NULL,
    "applied_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "engine_settings_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "task_cost" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "task_id" UUID NOT NULL,
    "run_id" UUID NOT NULL,
    "agent_id" UUID,
    "cost_usd" DECIMAL(14,6) NOT NULL,
    "spent_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "task_cost_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "engine_limit_organization_id_source_name_key" ON "engine_limit"("organization_id", "source", "name");

-- CreateIndex
CREATE UNIQUE INDEX "engine_settings_organization_id_version_key" ON "engine_settings"("organization_id", "version");

-- CreateIndex
CREATE INDEX "task_cost_organization_id_spent_at_idx" ON "task_cost"("organization_id", "spent_at");

-- A bucket is emptied with every claim: no index holds it, and the row stays on its page.
alter table engine_limit set (fillfactor = 50);

call tutti_protect('engine_limit');
call tutti_protect('engine_settings');
call tutti_protect('task_cost');
call tutti_show_worker('engine_limit');
call tutti_show_worker('engine_settings');
call tutti_show_worker('task_cost');
call tutti_show_worker('organization');
-- Whoever claims locks the limits of a tenant, for which PostgreSQL wants a right to change them.
grant update (tokens, refilled_at) on engine_limit to tutti_worker;
grant insert on task_cost to tutti_worker;

-- What is counted: strands under way, runs under way, and runs of one key that do not wait for their turn. No predicate
-- names what changes from step to step (a strand's task, its fence): else every step would touch every index.
create index strand_running_index on strand (organization_id) where status = 'running';
create index run_under_way_index on run (organization_id, workflow_id) where status in ('running', 'waiting', 'paused');
create index strand_key_index on strand (organization_id, limit_key, workflow_id)
  where parent_id is null and limit_key is not null and coalesce(wait_key, '') not in ('slot', 'slot:sub');
-- Runs that wait for their turn (`slot`; sub-workflows: `slot:sub`), or have it and were not begun yet (`slot:taken`), in
-- the order of their turns.
create index strand_slot_index on strand
  (organization_id, wait_key, workflow_id, ((created_at at time zone 'UTC') - priority * interval '1 hour'), id)
  where wait_key in ('slot', 'slot:sub', 'slot:taken');

-- What an attempt cost, when it was recorded.
create function note_task_cost() returns trigger language plpgsql as $$ begin
  insert into public.task_cost (organization_id, task_id, run_id, agent_id, cost_usd)
  values (new.organization_id, new.id, new.run_id, new.agent_id, new.cost_usd - coalesce(old.cost_usd, 0));
  return null;
end $$;
create trigger task_cost_grew after update of cost_usd on task for each row
  when (new.cost_usd > old.cost_usd) execute function note_task_cost();
create trigger task_cost_began after insert on task for each row
  when (new.cost_usd > 0) execute function note_task_cost();

-- When the organization's present day began on its own clock; on UTC's where its time zone is not known.
create function tutti_day_start(organization uuid) returns timestamptz language plpgsql stable as $$
declare
  zone text := coalesce((select o.time_zone from public.organization o where o.organization_id = organization), 'UTC');
begin
  return date_trunc('day', clock_timestamp(), zone);
exception when invalid_parameter_value then
  return date_trunc('day', clock_timestamp(), 'UTC');
end $$;
