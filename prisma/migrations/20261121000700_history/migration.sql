-- What agents say of their work, line by line; written and read by role api, in its tenant.
-- CreateTable
CREATE TABLE "task_log" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "task_id" UUID NOT NULL,
    "run_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "level" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "data" JSONB,
    "time" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "task_log_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE INDEX "task_log_organization_id_task_id_id_idx" ON "task_log"("organization_id", "task_id", "id");

-- AddForeignKey
ALTER TABLE "task_log" ADD CONSTRAINT "task_log_organization_id_task_id_fkey" FOREIGN KEY ("organization_id", "task_id") REFERENCES "task"("organization_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;

call tutti_protect('task_log');

-- Workers take away what has expired, of every tenant, and see nothing else of it.
create policy worker on task_log to tutti_worker using (expires_at <= clock_timestamp());
grant select (organization_id, id, expires_at), delete on task_log to tutti_worker;
create index task_log_expiry_index on task_log (expires_at);
