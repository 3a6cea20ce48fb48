-- Automatic scaling of agents: their load by the minute, and how each is scaled.
-- CreateTable
CREATE TABLE "agent_load" (
    "organization_id" UUID NOT NULL,
    "agent_id" UUID NOT NULL,
    "minute" TIMESTAMPTZ(3) NOT NULL,
    "samples" INTEGER NOT NULL,
    "instances" INTEGER NOT NULL,
    "slots" INTEGER NOT NULL,
    "running_average" DOUBLE PRECISION NOT NULL,
    "running_max" INTEGER NOT NULL,
    "queued" INTEGER NOT NULL,
    "queued_max" INTEGER NOT NULL,
    "response_p95_ms" DOUBLE PRECISION,

    CONSTRAINT "agent_load_pkey" PRIMARY KEY ("organization_id","agent_id","minute")
);

-- CreateTable
CREATE TABLE "agent_scaling" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "policy" JSONB NOT NULL DEFAULT '{}',
    "scaled_at" TIMESTAMPTZ(6),
    "scaled_from" INTEGER,
    "scaled_to" INTEGER,
    "cause" TEXT,
    "reason" TEXT,
    "load" JSONB,
    "refusal" JSONB,

    CONSTRAINT "agent_scaling_pkey" PRIMARY KEY ("organization_id","id")
);

call tutti_protect('agent_load');
call tutti_protect('agent_scaling');
-- One worker looks at the load of all tenants at once and keeps it; a decision is written in its own tenant.
call tutti_show_worker('agent_load');
call tutti_show_worker('agent_scaling');
grant insert, update, delete on agent_load to tutti_worker;
create index agent_load_age_index on agent_load (minute);
