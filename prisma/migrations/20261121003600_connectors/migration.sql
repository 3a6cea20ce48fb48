-- Channels and servers outside by the names that configurations use, and triggers that agents' configurations ask for.
-- AlterTable
ALTER TABLE "trigger" ADD COLUMN     "agent_id" UUID;

-- CreateTable
CREATE TABLE "connector" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "category" TEXT NOT NULL,
    "outbound" JSONB,
    "scheme" TEXT,
    "credential" TEXT,
    "verify_credential" TEXT,
    "path_hash" TEXT,
    "updated_by" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "connector_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "connector_delivery" (
    "organization_id" UUID NOT NULL,
    "connector" TEXT NOT NULL,
    "delivery" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "connector_delivery_pkey" PRIMARY KEY ("organization_id","connector","delivery")
);

-- CreateIndex
CREATE UNIQUE INDEX "connector_path_hash_key" ON "connector"("path_hash");

-- CreateIndex
CREATE UNIQUE INDEX "connector_organization_id_name_key" ON "connector"("organization_id", "name");

create index trigger_agent_index on trigger (organization_id, agent_id) where agent_id is not null;
create index connector_delivery_age_index on connector_delivery (created_at);

call tutti_protect('connector');
call tutti_protect('connector_delivery');

-- Workers take away what was remembered 90 days ago, of every tenant.
create policy worker on connector_delivery to tutti_worker
  using (created_at < clock_timestamp() - interval '90 days');
grant select (organization_id, connector, delivery, created_at), delete on connector_delivery to tutti_worker;

-- Before a tenant is known: the hash of a secret path answers with its organization and nothing else.
create policy definer on connector for select to tutti_definer using (path_hash is not null);
grant select (organization_id, path_hash) on connector to tutti_definer;
create function find_connector_organization(hash text) returns uuid
  language sql stable security definer set search_path = pg_catalog as
  $$ select organization_id from public.connector where path_hash = hash $$;
do $$ begin
  execute 'grant create on schema public to tutti_definer';
  execute 'alter function find_connector_organization(text) owner to tutti_definer';
  execute 'revoke create on schema public from tutti_definer';
end $$;
revoke all on function find_connector_organization(text) from public;
grant execute on function find_connector_organization(text) to tutti_api;
