-- Language models: what an organization says of them, what they cost, how they are chosen, and what was called.
-- CreateTable
CREATE TABLE "model" (
    "organization_id" UUID NOT NULL,
    "id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "capabilities" TEXT[],
    "context_tokens" INTEGER NOT NULL,
    "max_output_tokens" INTEGER NOT NULL,
    "requests_per_minute" INTEGER,
    "tokens_per_minute" INTEGER,
    "quality" JSONB NOT NULL DEFAULT '{}',
    "premium" BOOLEAN NOT NULL DEFAULT false,
    "status" TEXT NOT NULL DEFAULT 'active',
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "model_price" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "model_id" TEXT NOT NULL,
    "valid_from" TIMESTAMPTZ(3) NOT NULL,
    "input_usd" DECIMAL(14,6) NOT NULL,
    "output_usd" DECIMAL(14,6) NOT NULL,
    "cached_usd" DECIMAL(14,6) NOT NULL,

    CONSTRAINT "model_price_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "model_call" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "run_id" UUID,
    "task_id" UUID,
    "agent_id" UUID,
    "model_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "input_tokens" INTEGER NOT NULL,
    "output_tokens" INTEGER NOT NULL,
    "cached_tokens" INTEGER NOT NULL,
    "cost_usd" DECIMAL(24,12) NOT NULL,
    "latency_ms" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL,
    "cache_level" TEXT NOT NULL DEFAULT 'none',
    "quality" DOUBLE PRECISION,
    "retry_at" TIMESTAMPTZ(3),
    "reason" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "model_call_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "router_settings" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "document" TEXT NOT NULL,
    "settings" JSONB NOT NULL,
    "applied_by" JSONB NOT NULL,
    "applied_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "router_settings_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "model_price_organization_id_model_id_valid_from_key" ON "model_price"("organization_id", "model_id", "valid_from");

-- CreateIndex
CREATE INDEX "model_call_organization_id_created_at_idx" ON "model_call"("organization_id", "created_at");

call tutti_protect('model');
call tutti_protect('model_price');
call tutti_protect('model_call');
call tutti_protect('router_settings');
-- Workers take away what was called 90 days ago, of every tenant; of what is younger, nothing.
create policy worker on model_call to tutti_worker
  using (created_at < clock_timestamp() - interval '90 days');
grant select (organization_id, id, created_at), delete on model_call to tutti_worker;
create index model_call_age_index on model_call (created_at);
