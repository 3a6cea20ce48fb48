-- Scopes of a key and what replaced it; a tenant's own roles, groups, and who has which role where and until when.
-- AlterTable
ALTER TABLE "api_key" ADD COLUMN     "scopes" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "replaced_by" UUID;

-- CreateTable
CREATE TABLE "access_role" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "scopes" TEXT[],
    "version" INTEGER NOT NULL DEFAULT 1,
    "updated_by" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "access_role_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "access_group" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "access_group_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "role_assignment" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "principal_id" UUID,
    "group_id" UUID,
    "role" TEXT NOT NULL,
    "domain_id" UUID,
    "team_id" UUID,
    "reason" TEXT,
    "expires_at" TIMESTAMPTZ(6),
    "granted_by" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(6),

    CONSTRAINT "role_assignment_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "access_role_organization_id_name_key" ON "access_role"("organization_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "access_group_organization_id_name_key" ON "access_group"("organization_id", "name");

-- CreateIndex
CREATE INDEX "role_assignment_organization_id_principal_id_idx" ON "role_assignment"("organization_id", "principal_id");

-- CreateIndex
CREATE INDEX "role_assignment_organization_id_group_id_idx" ON "role_assignment"("organization_id", "group_id");

-- AddForeignKey
ALTER TABLE "role_assignment" ADD CONSTRAINT "role_assignment_organization_id_principal_id_fkey" FOREIGN KEY ("organization_id", "principal_id") REFERENCES "principal"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "role_assignment" ADD CONSTRAINT "role_assignment_organization_id_group_id_fkey" FOREIGN KEY ("organization_id", "group_id") REFERENCES "access_group"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

call tutti_protect('access_role');
call tutti_protect('access_group');
call tutti_protect('role_assignment');
