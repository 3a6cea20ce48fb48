-- Levels of escalations: who is responsible on each, until when, and what happened to it.
-- AlterTable
ALTER TABLE "escalation" ADD COLUMN     "acknowledge_by" TIMESTAMPTZ(6),
ADD COLUMN     "assigned_to" JSONB,
ADD COLUMN     "domain_id" UUID,
ADD COLUMN     "due_at" TIMESTAMPTZ(6),
ADD COLUMN     "exhausted_at" TIMESTAMPTZ(6),
ADD COLUMN     "incident_id" UUID,
ADD COLUMN     "resolve_by" TIMESTAMPTZ(6),
ADD COLUMN     "responsible" JSONB,
ADD COLUMN     "team_id" UUID,
ADD COLUMN     "turn" INTEGER NOT NULL DEFAULT 1;

-- CreateTable
CREATE TABLE "escalation_step" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "escalation_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "level" TEXT NOT NULL,
    "from_level" TEXT,
    "cause" TEXT,
    "text" TEXT,
    "responsible" JSONB,
    "assigned_to" JSONB,
    "actor" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "escalation_step_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "escalation_policy" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "scope" TEXT NOT NULL,
    "scope_id" UUID NOT NULL,
    "levels" JSONB NOT NULL,
    "set_by" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "escalation_policy_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE INDEX "escalation_step_organization_id_escalation_id_id_idx" ON "escalation_step"("organization_id", "escalation_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "escalation_policy_organization_id_scope_scope_id_key" ON "escalation_policy"("organization_id", "scope", "scope_id");

-- AddForeignKey
ALTER TABLE "escalation_step" ADD CONSTRAINT "escalation_step_organization_id_escalation_id_fkey" FOREIGN KEY ("organization_id", "escalation_id") REFERENCES "escalation"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

call tutti_protect('escalation_step');
call tutti_protect('escalation_policy');
-- What happened stays as it was told.
revoke update, delete on escalation_step from tutti_api;

-- What waits at this moment has the time that the built-in policy gives the level it is on.
update escalation set
  responsible = jsonb_build_object('kind', 'role', 'name', case level
    when 'agent' then 'operator' when 'domain' then 'approver' else 'admin' end),
  acknowledge_by = now() + case level when 'agent' then interval '15 minutes' when 'domain' then interval '30 minutes'
    when 'enterprise' then interval '1 hour' else interval '4 hours' end,
  resolve_by = now() + case level when 'agent' then interval '1 hour' when 'domain' then interval '4 hours'
    when 'enterprise' then interval '1 day' else interval '7 days' end
where status <> 'resolved';
update escalation set due_at = case status when 'open' then least(acknowledge_by, resolve_by) else resolve_by end
where status <> 'resolved';

-- What became due, of every tenant: workers learn whose and which, and nothing else. What becomes of one is written by
-- role api, in its tenant.
create index escalation_due_index on escalation (due_at) where status <> 'resolved' and due_at is not null;
create policy definer on escalation for select to tutti_definer using (status <> 'resolved' and due_at is not null);
grant select (organization_id, id, status, due_at) on escalation to tutti_definer;
create function find_due_escalations(most int) returns table (organization_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog as
  $$ select e.organization_id, e.id from public.escalation e
     where e.status <> 'resolved' and e.due_at <= clock_timestamp() order by e.due_at limit most $$;
do $$ begin
  execute 'grant create on schema public to tutti_definer';
  execute 'alter function find_due_escalations(int) owner to tutti_definer';
  execute 'revoke create on schema public from tutti_definer';
end $$;
revoke all on function find_due_escalations(int) from public;
grant execute on function find_due_escalations(int) to tutti_worker;
