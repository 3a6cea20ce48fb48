-- Rebalancing of agents: what of one's work another takes, what was rebalanced and why, and how often it is done by itself.
-- CreateTable
CREATE TABLE "agent_share" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "agent_id" UUID NOT NULL,
    "to_agent_id" UUID NOT NULL,
    "percent" INTEGER NOT NULL,
    "since" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "until" TIMESTAMPTZ(6),

    CONSTRAINT "agent_share_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "rebalance" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "status" TEXT NOT NULL,
    "cause" TEXT NOT NULL,
    "requested_by" JSONB NOT NULL,
    "idempotency_key" TEXT,
    "actions" JSONB NOT NULL,
    "overloaded" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "rebalance_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "rebalance_settings" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "interval_seconds" INTEGER,
    "applies" BOOLEAN NOT NULL DEFAULT false,
    "next_at" TIMESTAMPTZ(6),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "rebalance_settings_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "rebalance_organization_id_idempotency_key_key" ON "rebalance"("organization_id", "idempotency_key");

call tutti_protect('agent_share');
call tutti_protect('rebalance');
call tutti_protect('rebalance_settings');
-- A share is to one other once; who assigns work reads those that hold.
create unique index agent_share_holds_index on agent_share (organization_id, agent_id, to_agent_id) where until is null;
create index rebalance_settings_due_index on rebalance_settings (next_at) where next_at is not null;
-- Workers assign work by shares and look whose turn it is; what changes is written in its own tenant.
call tutti_show_worker('agent_share');
create policy worker on rebalance_settings for select to tutti_worker using (next_at is not null);
grant select (organization_id, next_at) on rebalance_settings to tutti_worker;
