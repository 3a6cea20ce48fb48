-- Agents that fail: who gets the work, who is called at all, how they are, and what was done about it.
-- AlterTable
ALTER TABLE "task" ADD COLUMN     "assignment" JSONB,
ADD COLUMN     "recovery" JSONB;

-- CreateTable
CREATE TABLE "breaker" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "scope" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'closed',
    "failures" JSONB NOT NULL DEFAULT '[]',
    "open_ms" BIGINT NOT NULL DEFAULT 0,
    "retry_at" TIMESTAMPTZ(6),
    "error" JSONB,
    "changed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "breaker_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "agent_health" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'unknown',
    "since" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "last_check_at" TIMESTAMPTZ(6),
    "failures" INTEGER NOT NULL DEFAULT 0,
    "successes" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,
    "due_at" TIMESTAMPTZ(6),

    CONSTRAINT "agent_health_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "reliability_settings" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "settings" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "reliability_settings_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "breaker_organization_id_scope_subject_key" ON "breaker"("organization_id", "scope", "subject");

call tutti_protect('breaker');
call tutti_protect('agent_health');
call tutti_protect('reliability_settings');
-- Workers look at those of all tenants at once; what changes is written in its own tenant.
call tutti_show_worker('breaker');
call tutti_show_worker('agent_health');
call tutti_show_worker('reliability_settings');
grant insert (organization_id, id, due_at), update (due_at) on agent_health to tutti_worker;
create index breaker_not_closed_index on breaker (organization_id) where state <> 'closed';
create index agent_health_due_index on agent_health (due_at) where due_at is not null;
-- Who chooses an agent sees how good its work was, and nothing else of the assessments.
create policy worker on quality_assessment for select to tutti_worker using (true);
grant select (organization_id, agent_id, overall_score, created_at) on quality_assessment to tutti_worker;
