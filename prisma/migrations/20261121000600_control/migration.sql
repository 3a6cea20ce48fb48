-- AlterTable
ALTER TABLE "strand" ADD COLUMN     "generation" INTEGER NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "operation" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "action" TEXT NOT NULL,
    "filter" JSONB NOT NULL,
    "params" JSONB,
    "reason" TEXT,
    "status" TEXT NOT NULL,
    "dry_run" BOOLEAN NOT NULL DEFAULT false,
    "total" INTEGER NOT NULL DEFAULT 0,
    "done" INTEGER NOT NULL DEFAULT 0,
    "failed" INTEGER NOT NULL DEFAULT 0,
    "problems" JSONB NOT NULL DEFAULT '[]',
    "position" UUID,
    "last" UUID,
    "idempotency_key" TEXT,
    "started_by" JSONB NOT NULL,
    "ended_by" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "operation_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "containment" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "scope" TEXT NOT NULL,
    "target_id" UUID NOT NULL,
    "reason" TEXT NOT NULL,
    "ordered_by" JSONB NOT NULL,
    "ordered_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "sealed_at" TIMESTAMPTZ(3),
    "stopped_at" TIMESTAMPTZ(3),
    "lifted_by" JSONB,
    "lifted_at" TIMESTAMPTZ(3),
    "lift_reason" TEXT,
    "released_at" TIMESTAMPTZ(3),

    CONSTRAINT "containment_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "containment_stop" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "containment_id" UUID NOT NULL,
    "strand_id" UUID NOT NULL,
    "run_id" UUID NOT NULL,
    "workflow_id" UUID NOT NULL,
    "task_id" UUID,
    "agent_id" UUID,
    "fence" BIGINT NOT NULL,
    "fenced_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "lease_end" TIMESTAMPTZ(3) NOT NULL,
    "acknowledged_at" TIMESTAMPTZ(3),

    CONSTRAINT "containment_stop_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "operation_organization_id_idempotency_key_key" ON "operation"("organization_id", "idempotency_key");

-- CreateIndex
CREATE UNIQUE INDEX "containment_stop_organization_id_containment_id_strand_id_f_key" ON "containment_stop"("organization_id", "containment_id", "strand_id", "fence");

-- AddForeignKey
ALTER TABLE "containment_stop" ADD CONSTRAINT "containment_stop_organization_id_containment_id_fkey" FOREIGN KEY ("organization_id", "containment_id") REFERENCES "containment"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

call tutti_protect('operation');
call tutti_protect('containment');
call tutti_protect('containment_stop');

-- Workers find what is to be done, of every tenant, and look at every claim and write whether an order to stop stands.
-- What becomes of it is written by role api, in its tenant; that its work has stopped, a worker says itself.
call tutti_show_worker('operation');
call tutti_show_worker('containment');
call tutti_show_worker('containment_stop');
call tutti_show_worker('team');
grant update on containment_stop to tutti_worker;

create index operation_running_index on operation (organization_id, id) where status = 'running';
-- One order in force for one thing; these rows are all that a claim has to look at, and mostly there are none.
create unique index containment_in_force_index on containment (organization_id, scope, target_id) where lifted_at is null;
create index containment_open_index on containment (organization_id, id) where stopped_at is null or released_at is null;
create index containment_stop_strand_index on containment_stop (strand_id) where acknowledged_at is null;

-- Whether work of this workflow by this agent (null: by the engine) is what an order names.
create function tutti_in_scope(scope text, target uuid, organization uuid, workflow uuid, agent uuid) returns boolean
  language sql stable as $$
  select coalesce(case $1
    when 'organization' then true
    when 'workflow' then $4 = $2
    when 'agent' then $5 = $2
    when 'domain' then exists (
      select from agent a join team t on t.organization_id = a.organization_id and t.id = a.team_id
      where a.organization_id = $3 and a.id = $5 and t.domain_id = $2)
  end, false) $$;

-- Whether an order to stop it stands. Statements ask `exists (select from containment where lifted_at is null)` before,
-- once for all their rows.
create function tutti_contained(organization uuid, workflow uuid, agent uuid) returns boolean
  language sql stable as $$
  select exists (select from containment c where c.lifted_at is null and c.organization_id = $1
    and tutti_in_scope(c.scope, c.target_id, $1, $2, $3)) $$;

-- Whether a worker that writes would go on at once with contained work: the strand's own next task, or a child's first.
create function tutti_begins_contained(organization uuid, workflow uuid, keep boolean, agent uuid, strands jsonb)
  returns boolean language sql stable as $$
  select ($3 and tutti_contained($1, $2, $4)) or exists (
    select from jsonb_to_recordset($5) as n(workflow uuid, agent uuid, claim uuid)
    where n.claim is not null and tutti_contained($1, n.workflow, n.agent)) $$;
