-- Answers of language models are kept, to be given again to the same request of the same organization.
-- AlterTable
ALTER TABLE "model_call" ADD COLUMN     "cache_missed" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "saved_tokens" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "saved_usd" DECIMAL(24,12) NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "model_response" (
    "organization_id" UUID NOT NULL,
    "id" TEXT NOT NULL,
    "model_id" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "input_tokens" INTEGER NOT NULL,
    "output_tokens" INTEGER NOT NULL,
    "cost_usd" DECIMAL(24,12) NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "model_response_pkey" PRIMARY KEY ("organization_id","id")
);

call tutti_protect('model_response');
-- Workers take away what has expired, of every tenant; of what has not, nothing.
create policy worker on model_response to tutti_worker using (expires_at < clock_timestamp());
grant select (organization_id, id, expires_at), delete on model_response to tutti_worker;
create index model_response_expiry_index on model_response (expires_at);
