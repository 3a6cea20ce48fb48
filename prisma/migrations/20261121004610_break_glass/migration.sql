-- Who took the role admin in an emergency, and who looked at it afterwards.
-- CreateTable
CREATE TABLE "break_glass" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "principal_id" UUID NOT NULL,
    "assignment_id" UUID NOT NULL,
    "incident_id" UUID NOT NULL,
    "reason" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "reviewed_at" TIMESTAMPTZ(3),
    "reviewed_by" JSONB,
    "review" TEXT,

    CONSTRAINT "break_glass_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE INDEX "break_glass_organization_id_principal_id_idx" ON "break_glass"("organization_id", "principal_id");

-- AddForeignKey
ALTER TABLE "break_glass" ADD CONSTRAINT "break_glass_organization_id_principal_id_fkey" FOREIGN KEY ("organization_id", "principal_id") REFERENCES "principal"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "break_glass" ADD CONSTRAINT "break_glass_organization_id_assignment_id_fkey" FOREIGN KEY ("organization_id", "assignment_id") REFERENCES "role_assignment"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "break_glass" ADD CONSTRAINT "break_glass_organization_id_incident_id_fkey" FOREIGN KEY ("organization_id", "incident_id") REFERENCES "incident"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

call tutti_protect('break_glass');
