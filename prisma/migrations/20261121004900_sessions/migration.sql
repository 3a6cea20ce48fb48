-- Where people log in, who of them is whom, and who has logged in.
-- AlterTable
ALTER TABLE "principal" ADD COLUMN     "issuer" TEXT,
ADD COLUMN     "subject" TEXT;

-- CreateTable
CREATE TABLE "identity_provider" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "issuer" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "master_key" TEXT NOT NULL,
    "wrapped" BYTEA NOT NULL,
    "groups_claim" TEXT NOT NULL,
    "mapping" JSONB NOT NULL,
    "default_role" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "identity_provider_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "session" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "principal_id" UUID NOT NULL,
    "provider_id" UUID,
    "hash" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "ended_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "session_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "principal_organization_id_issuer_subject_key" ON "principal"("organization_id", "issuer", "subject");

-- CreateIndex
CREATE UNIQUE INDEX "identity_provider_organization_id_issuer_key" ON "identity_provider"("organization_id", "issuer");

-- CreateIndex
CREATE UNIQUE INDEX "session_hash_key" ON "session"("hash");

-- CreateIndex
CREATE INDEX "session_organization_id_principal_id_idx" ON "session"("organization_id", "principal_id");

-- CreateIndex
CREATE INDEX "session_organization_id_provider_id_idx" ON "session"("organization_id", "provider_id");

-- AddForeignKey
ALTER TABLE "session" ADD CONSTRAINT "session_organization_id_principal_id_fkey" FOREIGN KEY ("organization_id", "principal_id") REFERENCES "principal"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "session" ADD CONSTRAINT "session_organization_id_provider_id_fkey" FOREIGN KEY ("organization_id", "provider_id") REFERENCES "identity_provider"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

call tutti_protect('identity_provider');
call tutti_protect('session');

-- Before a tenant is known: the hash of a session's token answers with its organization and nothing else.
create policy definer on session for select to tutti_definer using (true);
grant select on session to tutti_definer;
create function find_session_organization(token_hash text) returns uuid
  language sql stable security definer set search_path = pg_catalog as
  $$ select organization_id from public.session where hash = token_hash $$;
do $$ begin
  execute format('grant tutti_definer to %I', current_user);
  execute 'grant create on schema public to tutti_definer';
  execute 'alter function find_session_organization(text) owner to tutti_definer';
  execute 'revoke create on schema public from tutti_definer';
end $$;
revoke all on function find_session_organization(text) from public;
grant execute on function find_session_organization(text) to tutti_api;
