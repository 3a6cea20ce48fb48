-- Links by which a person decides an approval or takes on an escalation once, without a session.
-- AlterTable
ALTER TABLE "notification" ADD COLUMN     "link_for" UUID;

-- CreateTable
CREATE TABLE "decision_link" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "token_hash" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "round" INTEGER NOT NULL,
    "digest" TEXT,
    "principal_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "used_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "decision_link_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "decision_link_token_hash_key" ON "decision_link"("token_hash");

-- CreateIndex
CREATE INDEX "decision_link_organization_id_subject_principal_id_idx" ON "decision_link"("organization_id", "subject", "principal_id");

create index decision_link_expiry_index on decision_link (expires_at);
create index notification_age_index on notification (created_at);

call tutti_protect('decision_link');

-- Workers take away what was told, and links that ended, 90 days ago, of every tenant.
create policy worker on notification to tutti_worker
  using (status <> 'pending' and created_at < clock_timestamp() - interval '90 days');
grant select (organization_id, id, status, created_at), delete on notification to tutti_worker;
create policy worker on decision_link to tutti_worker
  using (expires_at < clock_timestamp() - interval '90 days');
grant select (organization_id, id, expires_at), delete on decision_link to tutti_worker;

-- Before a tenant is known: the hash of a token answers with its organization and nothing else.
create policy definer on decision_link for select to tutti_definer using (true);
grant select (organization_id, token_hash) on decision_link to tutti_definer;
create function find_decision_link_organization(hash text) returns uuid
  language sql stable security definer set search_path = pg_catalog as
  $$ select organization_id from public.decision_link where token_hash = hash $$;
do $$ begin
  execute 'grant create on schema public to tutti_definer';
  execute 'alter function find_decision_link_organization(text) owner to tutti_definer';
  execute 'revoke create on schema public from tutti_definer';
end $$;
revoke all on function find_decision_link_organization(text) from public;
grant execute on function find_decision_link_organization(text) to tutti_api;
