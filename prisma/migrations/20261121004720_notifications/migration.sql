-- Who is responsible is told: where, and what became of each telling.
-- CreateTable
CREATE TABLE "notification_channel" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "owner_kind" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "credential" TEXT,
    "set_by" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "notification_channel_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "notification" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "key" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "turn" INTEGER NOT NULL,
    "recipient" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "credential" TEXT,
    "message" JSONB NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_error" TEXT,
    "delivered_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "notification_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "notification_channel_organization_id_owner_kind_owner_kind__key" ON "notification_channel"("organization_id", "owner_kind", "owner", "kind", "address");

-- CreateIndex
CREATE UNIQUE INDEX "notification_organization_id_key_key" ON "notification"("organization_id", "key");

-- CreateIndex
CREATE INDEX "notification_organization_id_subject_idx" ON "notification"("organization_id", "subject");

call tutti_protect('notification_channel');
call tutti_protect('notification');

-- What is to be told now, of every tenant: workers learn whose and which, and nothing else.
create index notification_due_index on notification (next_at) where status = 'pending';
create policy definer on notification for select to tutti_definer using (status = 'pending');
grant select (organization_id, id, status, next_at) on notification to tutti_definer;
create function find_due_notifications(most int) returns table (organization_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog as
  $$ select n.organization_id, n.id from public.notification n
     where n.status = 'pending' and n.next_at <= clock_timestamp() order by n.next_at limit most $$;
do $$ begin
  execute 'grant create on schema public to tutti_definer';
  execute 'alter function find_due_notifications(int) owner to tutti_definer';
  execute 'revoke create on schema public from tutti_definer';
end $$;
revoke all on function find_due_notifications(int) from public;
grant execute on function find_due_notifications(int) to tutti_worker;
