-- Approvals in stages: who may decide, how many, until when and what then; each decision a row; rights lent for a time.
-- AlterTable
ALTER TABLE "principal" ADD COLUMN     "groups" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "team_ids" UUID[] DEFAULT ARRAY[]::UUID[];

-- AlterTable
ALTER TABLE "approval" ADD COLUMN     "allows_changes" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "authors" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "closes_at" TIMESTAMPTZ(6),
ADD COLUMN     "cost_usd" DOUBLE PRECISION,
ADD COLUMN     "on_deadline" TEXT NOT NULL DEFAULT 'expire',
ADD COLUMN     "preview" JSONB,
ADD COLUMN     "remind_at" TIMESTAMPTZ(6),
ADD COLUMN     "risk" TEXT NOT NULL DEFAULT 'medium',
ADD COLUMN     "round" INTEGER NOT NULL DEFAULT 1,
ADD COLUMN     "stage" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "stages" JSONB,
ADD COLUMN     "used_at" TIMESTAMPTZ(3),
ADD COLUMN     "used_by" TEXT;

-- What was asked before is one person's decision, as it was.
update approval set closes_at = expires_at, stages = '[{"name": "decision", "needed": 1, "roles": ["approver", "admin"],
  "groups": [], "people": [], "teamIds": [], "deadlineSeconds": null, "reminderSeconds": null, "onDeadline": "expire"}]';
ALTER TABLE "approval" ALTER COLUMN "stages" SET NOT NULL;

-- CreateTable
CREATE TABLE "approval_decision" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "approval_id" UUID NOT NULL,
    "round" INTEGER NOT NULL,
    "stage" INTEGER NOT NULL,
    "verdict" TEXT NOT NULL,
    "person_id" TEXT,
    "decided_by" JSONB NOT NULL,
    "on_behalf_of_id" TEXT,
    "on_behalf_of" JSONB,
    "digest" TEXT NOT NULL,
    "comment" TEXT,
    "final_arguments" JSONB,
    "asked" JSONB,
    "decided_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "approval_decision_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "approval_delegation" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "from_id" TEXT NOT NULL,
    "delegator" JSONB NOT NULL,
    "delegator_roles" TEXT[],
    "to_id" TEXT NOT NULL,
    "delegate" JSONB NOT NULL,
    "actions" TEXT[],
    "team_ids" UUID[],
    "reason" TEXT,
    "starts_at" TIMESTAMPTZ(6) NOT NULL,
    "ends_at" TIMESTAMPTZ(6) NOT NULL,
    "ended_at" TIMESTAMPTZ(6),
    "ended_by" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "approval_delegation_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "approval_decision_organization_id_approval_id_round_person__key" ON "approval_decision"("organization_id", "approval_id", "round", "person_id");

-- CreateIndex
CREATE UNIQUE INDEX "approval_decision_organization_id_approval_id_round_on_beha_key" ON "approval_decision"("organization_id", "approval_id", "round", "on_behalf_of_id");

-- CreateIndex
CREATE INDEX "approval_delegation_organization_id_to_id_idx" ON "approval_delegation"("organization_id", "to_id");

-- CreateIndex
CREATE INDEX "approval_delegation_organization_id_from_id_idx" ON "approval_delegation"("organization_id", "from_id");

-- AddForeignKey
ALTER TABLE "approval_decision" ADD CONSTRAINT "approval_decision_organization_id_approval_id_fkey" FOREIGN KEY ("organization_id", "approval_id") REFERENCES "approval"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

call tutti_protect('approval_decision');
call tutti_protect('approval_delegation');
-- What was decided stays as it was decided.
revoke update, delete on approval_decision from tutti_api;

insert into approval_decision (organization_id, approval_id, round, stage, verdict, person_id, decided_by, digest, comment,
  final_arguments, decided_at)
select organization_id, id, 1, 0, status, decided_by->>'id', decided_by, digest, comment, final_arguments,
  coalesce(decided_at, created_at)
from approval where status in ('approved', 'rejected') and decided_by is not null;

-- What became due: a deadline or a reminder, of what waits for a decision or for the one who asked.
drop index approval_overdue_index;
create index approval_due_index on approval (least(expires_at, remind_at))
  where status in ('pending', 'changes_requested') and expires_at is not null;
drop policy definer on approval;
create policy definer on approval for select to tutti_definer
  using (status in ('pending', 'changes_requested') and expires_at is not null);
grant select (remind_at) on approval to tutti_definer;
create or replace function find_overdue_approvals(most int) returns table (organization_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog as
  $$ select a.organization_id, a.id from public.approval a
     where a.status in ('pending', 'changes_requested') and a.expires_at is not null
       and least(a.expires_at, a.remind_at) <= clock_timestamp()
     order by least(a.expires_at, a.remind_at) limit most $$;
