-- Extensions first: the indexes below need them.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- CreateTable
CREATE TABLE "organization" (
    "organization_id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "tier" TEXT NOT NULL DEFAULT 'standard',
    "time_zone" TEXT NOT NULL DEFAULT 'UTC',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organization_pkey" PRIMARY KEY ("organization_id")
);

-- CreateTable
CREATE TABLE "domain" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "domain_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "team" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "domain_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "priority" TEXT NOT NULL DEFAULT 'normal',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "team_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "agent" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "team_id" UUID,
    "name" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "version" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'active',
    "capabilities" TEXT[],
    "executor" JSONB NOT NULL,
    "configuration" JSONB NOT NULL,
    "configuration_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "retired_at" TIMESTAMPTZ(3),

    CONSTRAINT "agent_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "outbound_message" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "idempotency_key" TEXT NOT NULL,
    "agent_id" UUID,
    "run_id" UUID,
    "task_id" UUID,
    "channel" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "outbound_message_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "principal" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT,
    "roles" TEXT[],
    "agent_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "principal_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "api_key" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "principal_id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "approval" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "request_key" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "arguments" JSONB NOT NULL,
    "digest" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "requested_by" JSONB NOT NULL,
    "run_id" UUID,
    "task_id" UUID,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "decided_by" JSONB,
    "comment" TEXT,
    "final_arguments" JSONB,
    "expires_at" TIMESTAMPTZ(3),
    "decided_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "approval_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "escalation" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "request_key" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "level" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'open',
    "context" JSONB NOT NULL,
    "run_id" UUID,
    "task_id" UUID,
    "approval_id" UUID,
    "opened_by" JSONB NOT NULL,
    "acknowledged_by" JSONB,
    "resolved_by" JSONB,
    "resolution" TEXT,
    "opened_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "acknowledged_at" TIMESTAMPTZ(3),
    "resolved_at" TIMESTAMPTZ(3),

    CONSTRAINT "escalation_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "incident" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "severity" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "impact" TEXT NOT NULL,
    "workaround" BOOLEAN NOT NULL DEFAULT false,
    "status" TEXT NOT NULL DEFAULT 'open',
    "open_cause" TEXT,
    "workflow_id" UUID,
    "team_id" UUID,
    "anomaly_id" UUID,
    "opened_by" JSONB NOT NULL,
    "acknowledged_by" JSONB,
    "resolved_by" JSONB,
    "resolution" TEXT,
    "opened_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "acknowledged_at" TIMESTAMPTZ(3),
    "resolved_at" TIMESTAMPTZ(3),
    "resolve_by" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "incident_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "incident_entry" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "incident_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "actor" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "incident_entry_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "audit_entry" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "timestamp" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor_id" TEXT NOT NULL,
    "actor_kind" TEXT NOT NULL,
    "agent_id" UUID,
    "action_type" TEXT NOT NULL,
    "domain" TEXT NOT NULL,
    "summary" TEXT NOT NULL,
    "details" JSONB NOT NULL,
    "classification" TEXT NOT NULL DEFAULT 'internal',
    "significance" TEXT NOT NULL DEFAULT 'standard',
    "subject" TEXT NOT NULL,
    "related_tasks" TEXT[],

    CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "article" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "external_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "language" TEXT NOT NULL DEFAULT 'en',
    "tags" TEXT[],
    "content_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "search" tsvector,

    CONSTRAINT "article_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "quality_assessment" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "request_key" TEXT NOT NULL,
    "task_id" UUID,
    "run_id" UUID,
    "agent_id" UUID,
    "workflow_id" UUID,
    "scorer" TEXT NOT NULL,
    "criteria_version" INTEGER NOT NULL,
    "overall_score" DOUBLE PRECISION NOT NULL,
    "confidence" DOUBLE PRECISION NOT NULL,
    "dimensions" JSONB NOT NULL,
    "recommendations" TEXT[],
    "flags" TEXT[],
    "below_minimum" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "quality_assessment_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "quality_criteria" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "minimum_score" DOUBLE PRECISION NOT NULL,
    "criteria" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "quality_criteria_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "run_outcome" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "workflow_id" UUID NOT NULL,
    "workflow_name" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "ended_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "run_outcome_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "anomaly" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "request_key" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "workflow_id" UUID,
    "value" DOUBLE PRECISION NOT NULL,
    "threshold" DOUBLE PRECISION NOT NULL,
    "description" TEXT NOT NULL,
    "detected_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "anomaly_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "workflow" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "trigger" TEXT,
    "latest_version" INTEGER NOT NULL,
    "published_version" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "workflow_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "workflow_version" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "workflow_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "source" TEXT NOT NULL,
    "source_hash" TEXT NOT NULL,
    "definition" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "published_at" TIMESTAMPTZ(3),
    "published_by" JSONB,

    CONSTRAINT "workflow_version_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "run" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "workflow_id" UUID NOT NULL,
    "version_id" UUID NOT NULL,
    "status" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL DEFAULT 0,
    "input" JSONB NOT NULL,
    "state" JSONB NOT NULL DEFAULT '{}',
    "output" JSONB,
    "error" JSONB,
    "idempotency_key" TEXT,
    "request_hash" TEXT,
    "started_by" JSONB NOT NULL,
    "cost_usd" DECIMAL(14,6) NOT NULL DEFAULT 0,
    "priority" INTEGER NOT NULL DEFAULT 0,
    "start_at" TIMESTAMPTZ(3),
    "parent_run_id" UUID,
    "parent_task_id" UUID,
    "parent_strand_id" UUID,
    "depth" INTEGER NOT NULL DEFAULT 0,
    "forked_from_id" UUID,
    "trigger_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "run_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "task" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "run_id" UUID NOT NULL,
    "step_path" TEXT NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 0,
    "node_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "agent_id" UUID,
    "agent_name" TEXT,
    "status" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "input" JSONB NOT NULL,
    "output" JSONB,
    "error" JSONB,
    "timeout_ms" INTEGER NOT NULL,
    "approval_id" UUID,
    "parent_id" UUID,
    "position" INTEGER,
    "arrival" JSONB,
    "progress" JSONB,
    "cost_usd" DECIMAL(14,6) NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "task_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "strand" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "run_id" UUID NOT NULL,
    "workflow_id" UUID NOT NULL,
    "parent_id" UUID,
    "parent_task_id" UUID,
    "compound" TEXT,
    "key" TEXT,
    "position" INTEGER,
    "path" TEXT NOT NULL DEFAULT '',
    "state" JSONB NOT NULL DEFAULT '{}',
    "task_id" UUID,
    "agent_id" UUID,
    "status" TEXT NOT NULL,
    "due_at" TIMESTAMPTZ(3),
    "fence" BIGINT NOT NULL DEFAULT 0,
    "claim_id" UUID,
    "recoveries" INTEGER NOT NULL DEFAULT 0,
    "resume" JSONB,
    "wait_key" TEXT,
    "pending" INTEGER NOT NULL DEFAULT 0,
    "needed" INTEGER NOT NULL DEFAULT 0,
    "fail_fast" BOOLEAN NOT NULL DEFAULT false,
    "width" INTEGER,
    "limit_key" TEXT,
    "priority" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "strand_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "run_signal" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "run_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "sent_by" JSONB NOT NULL,
    "idempotency_key" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "taken_at" TIMESTAMPTZ(3),

    CONSTRAINT "run_signal_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "domain_organization_id_name_key" ON "domain"("organization_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "team_organization_id_domain_id_name_key" ON "team"("organization_id", "domain_id", "name");

-- CreateIndex
CREATE INDEX "agent_organization_id_type_idx" ON "agent"("organization_id", "type");

-- CreateIndex
CREATE INDEX "agent_organization_id_team_id_idx" ON "agent"("organization_id", "team_id");

-- CreateIndex
CREATE UNIQUE INDEX "agent_organization_id_name_key" ON "agent"("organization_id", "name");

-- CreateIndex
CREATE INDEX "outbound_message_organization_id_run_id_idx" ON "outbound_message"("organization_id", "run_id");

-- CreateIndex
CREATE UNIQUE INDEX "outbound_message_organization_id_idempotency_key_key" ON "outbound_message"("organization_id", "idempotency_key");

-- CreateIndex
CREATE UNIQUE INDEX "principal_organization_id_name_key" ON "principal"("organization_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "api_key_hash_key" ON "api_key"("hash");

-- CreateIndex
CREATE INDEX "approval_organization_id_status_id_idx" ON "approval"("organization_id", "status", "id");

-- CreateIndex
CREATE INDEX "approval_organization_id_run_id_idx" ON "approval"("organization_id", "run_id");

-- CreateIndex
CREATE INDEX "approval_organization_id_task_id_idx" ON "approval"("organization_id", "task_id");

-- CreateIndex
CREATE UNIQUE INDEX "approval_organization_id_request_key_key" ON "approval"("organization_id", "request_key");

-- CreateIndex
CREATE INDEX "escalation_organization_id_status_id_idx" ON "escalation"("organization_id", "status", "id");

-- CreateIndex
CREATE INDEX "escalation_organization_id_run_id_idx" ON "escalation"("organization_id", "run_id");

-- CreateIndex
CREATE UNIQUE INDEX "escalation_organization_id_request_key_key" ON "escalation"("organization_id", "request_key");

-- CreateIndex
CREATE INDEX "incident_organization_id_status_id_idx" ON "incident"("organization_id", "status", "id");

-- CreateIndex
CREATE INDEX "incident_organization_id_team_id_idx" ON "incident"("organization_id", "team_id");

-- CreateIndex
CREATE UNIQUE INDEX "incident_organization_id_open_cause_key" ON "incident"("organization_id", "open_cause");

-- CreateIndex
CREATE INDEX "incident_entry_organization_id_incident_id_idx" ON "incident_entry"("organization_id", "incident_id");

-- CreateIndex
CREATE INDEX "audit_entry_organization_id_subject_idx" ON "audit_entry"("organization_id", "subject");

-- CreateIndex
CREATE INDEX "article_search_idx" ON "article" USING GIN ("search");

-- CreateIndex
CREATE UNIQUE INDEX "article_organization_id_external_id_key" ON "article"("organization_id", "external_id");

-- CreateIndex
CREATE INDEX "quality_assessment_organization_id_task_id_idx" ON "quality_assessment"("organization_id", "task_id");

-- CreateIndex
CREATE INDEX "quality_assessment_organization_id_run_id_idx" ON "quality_assessment"("organization_id", "run_id");

-- CreateIndex
CREATE INDEX "quality_assessment_organization_id_agent_id_created_at_idx" ON "quality_assessment"("organization_id", "agent_id", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "quality_assessment_organization_id_request_key_key" ON "quality_assessment"("organization_id", "request_key");

-- CreateIndex
CREATE UNIQUE INDEX "quality_criteria_organization_id_name_version_key" ON "quality_criteria"("organization_id", "name", "version");

-- CreateIndex
CREATE INDEX "run_outcome_organization_id_workflow_id_ended_at_idx" ON "run_outcome"("organization_id", "workflow_id", "ended_at");

-- CreateIndex
CREATE UNIQUE INDEX "anomaly_organization_id_request_key_key" ON "anomaly"("organization_id", "request_key");

-- CreateIndex
CREATE UNIQUE INDEX "workflow_organization_id_name_key" ON "workflow"("organization_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "workflow_version_organization_id_workflow_id_version_key" ON "workflow_version"("organization_id", "workflow_id", "version");

-- CreateIndex
CREATE INDEX "run_organization_id_status_id_idx" ON "run"("organization_id", "status", "id");

-- CreateIndex
CREATE UNIQUE INDEX "run_organization_id_workflow_id_idempotency_key_key" ON "run"("organization_id", "workflow_id", "idempotency_key");

-- CreateIndex
CREATE INDEX "task_organization_id_agent_id_id_idx" ON "task"("organization_id", "agent_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "task_organization_id_run_id_step_path_generation_key" ON "task"("organization_id", "run_id", "step_path", "generation");

-- CreateIndex
CREATE INDEX "strand_organization_id_run_id_idx" ON "strand"("organization_id", "run_id");

-- CreateIndex
CREATE UNIQUE INDEX "run_signal_organization_id_run_id_idempotency_key_key" ON "run_signal"("organization_id", "run_id", "idempotency_key");

-- AddForeignKey
ALTER TABLE "team" ADD CONSTRAINT "team_organization_id_domain_id_fkey" FOREIGN KEY ("organization_id", "domain_id") REFERENCES "domain"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "agent" ADD CONSTRAINT "agent_organization_id_team_id_fkey" FOREIGN KEY ("organization_id", "team_id") REFERENCES "team"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "api_key" ADD CONSTRAINT "api_key_organization_id_principal_id_fkey" FOREIGN KEY ("organization_id", "principal_id") REFERENCES "principal"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "escalation" ADD CONSTRAINT "escalation_organization_id_approval_id_fkey" FOREIGN KEY ("organization_id", "approval_id") REFERENCES "approval"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "incident_entry" ADD CONSTRAINT "incident_entry_organization_id_incident_id_fkey" FOREIGN KEY ("organization_id", "incident_id") REFERENCES "incident"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "workflow_version" ADD CONSTRAINT "workflow_version_organization_id_workflow_id_fkey" FOREIGN KEY ("organization_id", "workflow_id") REFERENCES "workflow"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "run" ADD CONSTRAINT "run_organization_id_workflow_id_fkey" FOREIGN KEY ("organization_id", "workflow_id") REFERENCES "workflow"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "run" ADD CONSTRAINT "run_organization_id_version_id_fkey" FOREIGN KEY ("organization_id", "version_id") REFERENCES "workflow_version"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "task" ADD CONSTRAINT "task_organization_id_run_id_fkey" FOREIGN KEY ("organization_id", "run_id") REFERENCES "run"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "strand" ADD CONSTRAINT "strand_organization_id_run_id_fkey" FOREIGN KEY ("organization_id", "run_id") REFERENCES "run"("organization_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "run_signal" ADD CONSTRAINT "run_signal_organization_id_run_id_fkey" FOREIGN KEY ("organization_id", "run_id") REFERENCES "run"("organization_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;

