-- CreateTable
CREATE TABLE "policy" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "created_by" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "policy_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "policy_organization_id_name_key" ON "policy"("organization_id", "name");

-- CreateTable
CREATE TABLE "policy_version" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "policy_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'draft',
    "description" TEXT NOT NULL,
    "actions" TEXT[],
    "condition" TEXT,
    "effect" TEXT NOT NULL,
    "stages" JSONB NOT NULL,
    "escalate_to" TEXT,
    "redact" TEXT[],
    "priority" INTEGER NOT NULL,
    "effective_from" TIMESTAMPTZ(6),
    "effective_until" TIMESTAMPTZ(6),
    "written_by" JSONB NOT NULL,
    "submitted_by" JSONB,
    "reviewed_by" JSONB,
    "review_comment" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "activated_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "policy_version_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "policy_version_organization_id_policy_id_number_key" ON "policy_version"("organization_id", "policy_id", "number");

-- AddForeignKey
ALTER TABLE "policy_version" ADD CONSTRAINT "policy_version_organization_id_policy_id_fkey" FOREIGN KEY ("organization_id", "policy_id") REFERENCES "policy"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- CreateTable
CREATE TABLE "policy_exception" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "policy_id" UUID NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'requested',
    "reason" TEXT NOT NULL,
    "actors" TEXT[],
    "actions" TEXT[],
    "resources" TEXT[],
    "starts_at" TIMESTAMPTZ(6),
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "requested_by" JSONB NOT NULL,
    "decided_by" JSONB,
    "comment" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "decided_at" TIMESTAMPTZ(3),

    CONSTRAINT "policy_exception_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE INDEX "policy_exception_organization_id_policy_id_id_idx" ON "policy_exception"("organization_id", "policy_id", "id");

-- AddForeignKey
ALTER TABLE "policy_exception" ADD CONSTRAINT "policy_exception_organization_id_policy_id_fkey" FOREIGN KEY ("organization_id", "policy_id") REFERENCES "policy"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- One version of a policy holds, and one is in the making; what holds is read by it.
create unique index policy_version_active_index on policy_version (organization_id, policy_id) where status = 'active';
create unique index policy_version_open_index on policy_version (organization_id, policy_id)
  where status in ('draft', 'in_review');
create index policy_exception_approved_index on policy_exception (organization_id, expires_at) where status = 'approved';

-- What a version says was reviewed as it is: only what became of it is written afterwards.
create function policy_version_fixed() returns trigger language plpgsql as $$ begin
  if row(new.policy_id, new.number, new.description, new.actions, new.condition, new.effect, new.stages, new.escalate_to,
      new.redact, new.priority, new.effective_from, new.effective_until, new.written_by)
    is distinct from row(old.policy_id, old.number, old.description, old.actions, old.condition, old.effect, old.stages,
      old.escalate_to, old.redact, old.priority, old.effective_from, old.effective_until, old.written_by) then
    raise exception 'A version of a policy cannot be changed.';
  end if;
  return new;
end $$;
create trigger policy_version_fixed before update on policy_version
  for each row execute function policy_version_fixed();

call tutti_protect('policy');
call tutti_protect('policy_version');
call tutti_protect('policy_exception');
