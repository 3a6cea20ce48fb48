-- Things of which there is only so much: held by lease or booked for a time, with a queue.
-- CreateTable
CREATE TABLE "shared_resource" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "description" TEXT,
    "capacity" INTEGER NOT NULL,
    "fence" BIGINT NOT NULL DEFAULT 0,
    "place" BIGINT NOT NULL DEFAULT 0,
    "contended_at" TIMESTAMPTZ(6),
    "due_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "shared_resource_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "resource_booking" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "resource_id" UUID NOT NULL,
    "holder_kind" TEXT NOT NULL,
    "holder_id" TEXT NOT NULL,
    "requested_by" JSONB NOT NULL,
    "requester_id" TEXT NOT NULL,
    "amount" INTEGER NOT NULL,
    "priority" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "lease_seconds" INTEGER,
    "starts_at" TIMESTAMPTZ(6),
    "ends_at" TIMESTAMPTZ(6),
    "order_at" TIMESTAMPTZ(6) NOT NULL,
    "place" BIGINT NOT NULL,
    "waits_until" TIMESTAMPTZ(6),
    "fence" BIGINT,
    "idempotency_key" TEXT,
    "digest" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "ended_at" TIMESTAMPTZ(6),

    CONSTRAINT "resource_booking_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "shared_resource_organization_id_name_key" ON "shared_resource"("organization_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "resource_booking_organization_id_resource_id_requester_id_i_key" ON "resource_booking"("organization_id", "resource_id", "requester_id", "idempotency_key");

-- CreateIndex
CREATE INDEX "resource_booking_organization_id_resource_id_id_idx" ON "resource_booking"("organization_id", "resource_id", "id");

-- AddForeignKey
ALTER TABLE "resource_booking" ADD CONSTRAINT "resource_booking_organization_id_resource_id_fkey" FOREIGN KEY ("organization_id", "resource_id") REFERENCES "shared_resource"("organization_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;


-- What is alive of a resource, what of it is over, and what is to end or begin by itself.
create index resource_booking_live_index on resource_booking (organization_id, resource_id)
  where status in ('queued', 'booked', 'held');
create index resource_booking_age_index on resource_booking (ended_at) where ended_at is not null;
create index shared_resource_due_index on shared_resource (due_at) where due_at is not null;

call tutti_protect('shared_resource');
call tutti_protect('resource_booking');

-- Workers see which resources are due, of every tenant; they take away what ended 30 days ago, and nothing else.
create policy worker on shared_resource for select to tutti_worker using (due_at is not null);
grant select (organization_id, id, due_at) on shared_resource to tutti_worker;
create policy worker on resource_booking to tutti_worker
  using (ended_at < clock_timestamp() - interval '30 days');
grant select (organization_id, id, ended_at), delete on resource_booking to tutti_worker;
