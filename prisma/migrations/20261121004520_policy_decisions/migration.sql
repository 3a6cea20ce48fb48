-- CreateTable
CREATE TABLE "policy_decision" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actor_id" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "request" JSONB NOT NULL,
    "ruling" TEXT NOT NULL,
    "reasons" JSONB NOT NULL,
    "policies" JSONB NOT NULL,
    "authority_version" INTEGER NOT NULL,

    CONSTRAINT "policy_decision_pkey" PRIMARY KEY ("organization_id","id")
);

call tutti_protect('policy_decision');
