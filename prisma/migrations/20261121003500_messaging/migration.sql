-- Messages between agents: their inboxes, what was said to many, and who may write to whom.
-- CreateTable
CREATE TABLE "agent_message" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "kind" TEXT NOT NULL,
    "sender_id" TEXT NOT NULL,
    "sender" JSONB NOT NULL,
    "from_agent_id" UUID,
    "to_agent_id" UUID,
    "request_id" UUID,
    "response_id" UUID,
    "broadcast_id" UUID,
    "run_id" UUID,
    "task_id" UUID,
    "priority" INTEGER NOT NULL,
    "body" JSONB NOT NULL,
    "idempotency_key" TEXT,
    "digest" TEXT,
    "status" TEXT NOT NULL DEFAULT 'sent',
    "deliveries" INTEGER NOT NULL DEFAULT 0,
    "lease_until" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "delivered_at" TIMESTAMPTZ(6),
    "acknowledged_at" TIMESTAMPTZ(6),
    "ended_at" TIMESTAMPTZ(6),
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "due_at" TIMESTAMPTZ(6),
    "dead_reason" TEXT,

    CONSTRAINT "agent_message_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "message_broadcast" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "sender_id" TEXT NOT NULL,
    "idempotency_key" TEXT,
    "digest" TEXT,
    "sent" INTEGER NOT NULL,
    "denied" INTEGER NOT NULL,
    "inboxes_full" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "message_broadcast_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "message_policy" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "effect" TEXT NOT NULL,
    "priority" INTEGER NOT NULL,
    "from_kind" TEXT NOT NULL,
    "from_value" TEXT NOT NULL,
    "to_kind" TEXT NOT NULL,
    "to_value" TEXT NOT NULL,
    "updated_by" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "message_policy_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "message_broadcast_organization_id_sender_id_idempotency_key_key" ON "message_broadcast"("organization_id", "sender_id", "idempotency_key");

-- CreateIndex
CREATE UNIQUE INDEX "message_policy_organization_id_name_key" ON "message_policy"("organization_id", "name");

-- What is in an inbox, in the order in which it is given out. A delivery changes nothing that an index holds.
create index agent_message_inbox_index on agent_message (organization_id, to_agent_id, priority desc, id)
  where ended_at is null;
create unique index agent_message_key_index on agent_message (organization_id, sender_id, idempotency_key)
  where idempotency_key is not null;
create index agent_message_due_index on agent_message (due_at) where due_at is not null;
create index agent_message_log_index on agent_message (organization_id, to_agent_id, id) where to_agent_id is not null;
create index agent_message_broadcast_index on agent_message (organization_id, broadcast_id) where broadcast_id is not null;
create index agent_message_dead_index on agent_message (organization_id, id) where status = 'dead';
create index agent_message_age_index on agent_message (ended_at) where ended_at is not null and due_at is null;
alter table agent_message set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

call tutti_protect('agent_message');
call tutti_protect('message_broadcast');
call tutti_protect('message_policy');

-- Workers end what is out of time, of every tenant, and read no text; they take away what ended 30 days ago, and nothing else.
create policy worker on agent_message to tutti_worker using (true) with check (true);
create policy worker_delete on agent_message as restrictive for delete to tutti_worker
  using (due_at is null and ended_at < clock_timestamp() - interval '30 days');
grant select (organization_id, id, kind, from_agent_id, to_agent_id, response_id, status, ended_at, due_at, dead_reason)
  on agent_message to tutti_worker;
grant update (status, ended_at, due_at, dead_reason), delete on agent_message to tutti_worker;
create policy worker on message_broadcast to tutti_worker
  using (created_at < clock_timestamp() - interval '30 days');
grant select (organization_id, id, created_at), delete on message_broadcast to tutti_worker;
