-- Agents' versions, instances, deployments and ways out of service.
-- AlterTable
ALTER TABLE "agent" ADD COLUMN     "serving_version" INTEGER NOT NULL DEFAULT 1;

-- CreateTable
CREATE TABLE "agent_version" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "agent_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "capabilities" TEXT[],
    "executor" JSONB NOT NULL,
    "configuration" JSONB NOT NULL,
    "configuration_hash" TEXT NOT NULL,
    "created_by" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "agent_version_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "agent_instance" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "agent_id" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "deployment_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "agent_instance_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "agent_allocation" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "agent_id" UUID NOT NULL,
    "deployment_id" UUID,
    "team_id" UUID,
    "instances" INTEGER NOT NULL,
    "memory_mb" DOUBLE PRECISION NOT NULL,
    "cpu_cores" DOUBLE PRECISION NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "agent_allocation_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "agent_quota" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "domain_id" UUID,
    "max_instances" INTEGER,
    "max_memory_mb" DOUBLE PRECISION,
    "max_cpu_cores" DOUBLE PRECISION,

    CONSTRAINT "agent_quota_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "agent_deployment" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "agent_id" UUID NOT NULL,
    "agent_name" TEXT NOT NULL,
    "is_new" BOOLEAN NOT NULL,
    "request" JSONB NOT NULL,
    "status" TEXT NOT NULL,
    "stages" JSONB NOT NULL,
    "error" JSONB,
    "idempotency_key" TEXT,
    "requested_by" JSONB NOT NULL,
    "fence" BIGINT NOT NULL DEFAULT 0,
    "lease_until" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "agent_deployment_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "agent_retirement" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "agent_id" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "reason" TEXT,
    "requested_by" JSONB NOT NULL,
    "deadline" TIMESTAMPTZ(6) NOT NULL,
    "handed_over" INTEGER NOT NULL DEFAULT 0,
    "final_state" JSONB,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "agent_retirement_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "agent_version_organization_id_agent_id_number_key" ON "agent_version"("organization_id", "agent_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "agent_version_organization_id_agent_id_configuration_hash_key" ON "agent_version"("organization_id", "agent_id", "configuration_hash");

-- CreateIndex
CREATE INDEX "agent_instance_organization_id_agent_id_idx" ON "agent_instance"("organization_id", "agent_id");

-- CreateIndex
CREATE INDEX "agent_allocation_organization_id_agent_id_idx" ON "agent_allocation"("organization_id", "agent_id");

-- CreateIndex
CREATE UNIQUE INDEX "agent_deployment_organization_id_idempotency_key_key" ON "agent_deployment"("organization_id", "idempotency_key");

-- CreateIndex
CREATE INDEX "agent_retirement_organization_id_agent_id_id_idx" ON "agent_retirement"("organization_id", "agent_id", "id");

-- AddForeignKey
ALTER TABLE "agent_version" ADD CONSTRAINT "agent_version_organization_id_agent_id_fkey" FOREIGN KEY ("organization_id", "agent_id") REFERENCES "agent"("organization_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;


-- An agent has one deployment at a time; workers look for those that nobody has.
create unique index agent_deployment_open_index on agent_deployment (organization_id, agent_name)
  where status in ('running', 'undoing');
create index agent_deployment_due_index on agent_deployment (lease_until) where status in ('running', 'undoing');
create index agent_draining_index on agent (organization_id, id) where status = 'draining';

-- What is there is its own first version.
insert into agent_version (organization_id, agent_id, number, type, version, capabilities, executor, configuration,
  configuration_hash, created_by, created_at)
select organization_id, id, 1, type, version, capabilities, executor, configuration, configuration_hash,
  '{"id": "system:migration", "kind": "system", "name": "migration"}', created_at
from agent;

-- What an agent takes at once, as a limit that every claim of work goes by: instances times tasks of each. None without
-- instances; nothing at all for one that is on its way out. It changes in the transaction that changes its reasons.
create function keep_agent_limit(organization uuid, agent_id uuid) returns void language plpgsql as $$
declare
  places int;
begin
  select case when a.status in ('draining', 'retired') then 0
    else (select nullif(count(*), 0) from public.agent_instance i where i.organization_id = a.organization_id
        and i.agent_id = a.id and i.status = 'ready')
      * coalesce((a.configuration->'resource_requirements'->>'max_concurrent_tasks')::int, 1) end
  into places from public.agent a where a.organization_id = organization and a.id = keep_agent_limit.agent_id;
  if places is null then
    delete from public.engine_limit l where l.organization_id = organization and l.source = 'instances'
      and l.name = keep_agent_limit.agent_id::text;
  else
    insert into public.engine_limit (organization_id, name, source, scope, subject, counts, max_running)
    values (organization, keep_agent_limit.agent_id::text, 'instances', 'agent', keep_agent_limit.agent_id::text, 'tasks', places)
    on conflict (organization_id, source, name) do update set max_running = excluded.max_running, updated_at = now()
      where engine_limit.max_running is distinct from excluded.max_running;
  end if;
end $$;

create function agent_limit_changed() returns trigger language plpgsql as $$
begin
  perform public.keep_agent_limit(coalesce(new.organization_id, old.organization_id), coalesce(new.id, old.id));
  return null;
end $$;
create trigger agent_limit_kept after update of status, configuration on agent for each row
  when (old.status is distinct from new.status or old.configuration is distinct from new.configuration)
  execute function agent_limit_changed();
create trigger agent_limit_dropped after delete on agent for each row execute function agent_limit_changed();

create function agent_instances_changed() returns trigger language plpgsql as $$
declare
  agent record;
begin
  for agent in select distinct c.organization_id, c.agent_id from changed c order by 1, 2 loop
    perform public.keep_agent_limit(agent.organization_id, agent.agent_id);
  end loop;
  return null;
end $$;
create trigger agent_instances_made after insert on agent_instance referencing new table as changed
  for each statement execute function agent_instances_changed();
create trigger agent_instances_ready after update on agent_instance referencing new table as changed
  for each statement execute function agent_instances_changed();
create trigger agent_instances_gone after delete on agent_instance referencing old table as changed
  for each statement execute function agent_instances_changed();

select keep_agent_limit(organization_id, id) from agent where status = 'retired';

-- A version stays as it was made.
create function agent_version_stays() returns trigger language plpgsql as $$
begin
  raise exception 'a version of an agent does not change' using errcode = 'restrict_violation';
end $$;
create trigger agent_version_stays before update on agent_version for each row
  when (old.number <> new.number or old.configuration_hash <> new.configuration_hash or old.agent_id <> new.agent_id
    or old.executor is distinct from new.executor or old.configuration is distinct from new.configuration)
  execute function agent_version_stays();

call tutti_protect('agent_version');
call tutti_protect('agent_instance');
call tutti_protect('agent_allocation');
call tutti_protect('agent_quota');
call tutti_protect('agent_deployment');
call tutti_protect('agent_retirement');
call tutti_show_worker('agent_deployment');
