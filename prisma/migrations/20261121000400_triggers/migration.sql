-- What starts runs: triggers, and every firing of them, once each.
-- CreateTable
CREATE TABLE "trigger" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "workflow_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "cron" TEXT,
    "time_zone" TEXT,
    "missed" TEXT,
    "catch_up" INTEGER,
    "jitter_ms" INTEGER NOT NULL DEFAULT 0,
    "next_at" TIMESTAMPTZ(3),
    "event_type" TEXT,
    "filter" TEXT,
    "path_hash" TEXT,
    "signing_secret" TEXT,
    "input" JSONB,
    "expressions" JSONB,
    "idempotency_key" TEXT,
    "priority" INTEGER,
    "active_from" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "trigger_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "trigger_firing" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "trigger_id" UUID NOT NULL,
    "occurrence" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "scheduled_at" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "input" JSONB,
    "depth" INTEGER NOT NULL DEFAULT 0,
    "sent_at" BIGINT,
    "body_hash" TEXT,
    "missed" INTEGER NOT NULL DEFAULT 0,
    "fired_by" JSONB,
    "run_id" UUID,
    "error" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "trigger_firing_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "integration_event" (
    "organization_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "request_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "integration_event_pkey" PRIMARY KEY ("organization_id","source","event_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "trigger_path_hash_key" ON "trigger"("path_hash");

-- CreateIndex
CREATE INDEX "trigger_organization_id_workflow_id_idx" ON "trigger"("organization_id", "workflow_id");

-- CreateIndex
CREATE UNIQUE INDEX "trigger_organization_id_name_key" ON "trigger"("organization_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "trigger_firing_organization_id_trigger_id_occurrence_key" ON "trigger_firing"("organization_id", "trigger_id", "occurrence");

-- AddForeignKey
ALTER TABLE "trigger" ADD CONSTRAINT "trigger_organization_id_workflow_id_fkey" FOREIGN KEY ("organization_id", "workflow_id") REFERENCES "workflow"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "trigger_firing" ADD CONSTRAINT "trigger_firing_organization_id_trigger_id_fkey" FOREIGN KEY ("organization_id", "trigger_id") REFERENCES "trigger"("organization_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- What schedulers look for, of every tenant, and what consumers of the log ask.
create index trigger_next_index on trigger (next_at) where next_at is not null;
create index trigger_event_index on trigger (organization_id) where kind = 'event' and status = 'active';
create index trigger_firing_due_index on trigger_firing (due_at) where due_at is not null;
create index trigger_firing_list_index on trigger_firing (organization_id, trigger_id, id);
create index trigger_firing_run_index on trigger_firing (run_id) where run_id is not null;

call tutti_protect('trigger');
call tutti_protect('trigger_firing');
call tutti_protect('integration_event');
call tutti_show_worker('trigger');
call tutti_show_worker('trigger_firing');
grant update (next_at) on trigger to tutti_worker;
grant insert, update on trigger_firing to tutti_worker;

-- Before a tenant is known: the hash of a secret path answers with its organization and nothing else.
create policy definer on trigger for select to tutti_definer using (path_hash is not null);
grant select (organization_id, path_hash) on trigger to tutti_definer;
create function find_trigger_organization(hash text) returns uuid
  language sql stable security definer set search_path = pg_catalog as
  $$ select organization_id from public.trigger where path_hash = hash $$;
do $$ begin
  execute 'grant create on schema public to tutti_definer';
  execute 'alter function find_trigger_organization(text) owner to tutti_definer';
  execute 'revoke create on schema public from tutti_definer';
end $$;
revoke all on function find_trigger_organization(text) from public;
grant execute on function find_trigger_organization(text) to tutti_api;
