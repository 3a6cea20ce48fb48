-- What a consumer of the log could not handle for good is put aside, so that all others go on.
-- CreateTable
CREATE TABLE "put_aside_event" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "consumer" TEXT NOT NULL,
    "seq" BIGINT NOT NULL,
    "type" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "tries" INTEGER NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'aside',
    "put_aside_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "put_aside_event_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "put_aside_event_organization_id_consumer_seq_key" ON "put_aside_event"("organization_id", "consumer", "seq");

call tutti_protect('put_aside_event');
call tutti_show_worker('put_aside_event');
-- Which are to be taken again, of every tenant. What becomes of one is written by role api, in its tenant.
create index put_aside_event_again_index on put_aside_event (consumer, seq) where status = 'again';

-- A key ends in a hash: what it is made of may be longer than an index takes.
update notification set key = subject || '/' || turn || '/'
  || encode(sha256(convert_to(substr(key, length(subject || '/' || turn || '/') + 1), 'UTF8')), 'hex');

-- What is due: the oldest of each tenant in turn, so that nobody waits behind another's many.
create or replace function find_due_notifications(most int) returns table (organization_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog as
  $$ select o.organization_id, o.id from (
       select n.organization_id, n.id, n.next_at,
         row_number() over (partition by n.organization_id order by n.next_at) as turn
       from public.notification n where n.status = 'pending' and n.next_at <= clock_timestamp()) o
     order by o.turn, o.next_at limit most $$;
create or replace function find_due_escalations(most int) returns table (organization_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog as
  $$ select o.organization_id, o.id from (
       select e.organization_id, e.id, e.due_at,
         row_number() over (partition by e.organization_id order by e.due_at) as turn
       from public.escalation e where e.status <> 'resolved' and e.due_at <= clock_timestamp()) o
     order by o.turn, o.due_at limit most $$;
create or replace function find_overdue_approvals(most int) returns table (organization_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog as
  $$ select o.organization_id, o.id from (
       select a.organization_id, a.id, least(a.expires_at, a.remind_at) as due_at,
         row_number() over (partition by a.organization_id order by least(a.expires_at, a.remind_at)) as turn
       from public.approval a where a.status in ('pending', 'changes_requested') and a.expires_at is not null
         and least(a.expires_at, a.remind_at) <= clock_timestamp()) o
     order by o.turn, o.due_at limit most $$;
