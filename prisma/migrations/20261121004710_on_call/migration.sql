-- Who is on call: people take turns, and stand in for each other.
-- CreateTable
CREATE TABLE "on_call_schedule" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "participants" TEXT[],
    "length" INTEGER NOT NULL,
    "unit" TEXT NOT NULL,
    "handoff_time" TEXT NOT NULL,
    "starts_on" TEXT NOT NULL,
    "set_by" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "on_call_schedule_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "on_call_override" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "schedule_id" UUID NOT NULL,
    "person_id" TEXT NOT NULL,
    "starts_at" TIMESTAMPTZ(6) NOT NULL,
    "ends_at" TIMESTAMPTZ(6) NOT NULL,
    "reason" TEXT,
    "set_by" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "on_call_override_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "on_call_schedule_organization_id_name_key" ON "on_call_schedule"("organization_id", "name");

-- CreateIndex
CREATE INDEX "on_call_override_organization_id_schedule_id_ends_at_idx" ON "on_call_override"("organization_id", "schedule_id", "ends_at");

-- AddForeignKey
ALTER TABLE "on_call_override" ADD CONSTRAINT "on_call_override_organization_id_schedule_id_fkey" FOREIGN KEY ("organization_id", "schedule_id") REFERENCES "on_call_schedule"("organization_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;

call tutti_protect('on_call_schedule');
call tutti_protect('on_call_override');
