-- CreateTable
CREATE TABLE "authority_version" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "number" INTEGER NOT NULL,
    "entries" JSONB NOT NULL,
    "reason" TEXT NOT NULL,
    "set_by" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "authority_version_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "authority_version_organization_id_number_key" ON "authority_version"("organization_id", "number");

call tutti_protect('authority_version');
