-- Who may be kept out, by whom; and what a directory (SCIM) keeps of people and groups.
-- AlterTable
ALTER TABLE "access_group" ADD COLUMN     "directory_at" TIMESTAMPTZ(3),
ADD COLUMN     "external_id" TEXT;

-- AlterTable
ALTER TABLE "identity_provider" ADD COLUMN     "directory_claim" TEXT;

-- AlterTable
ALTER TABLE "principal" ADD COLUMN     "deactivated_at" TIMESTAMPTZ(6),
ADD COLUMN     "deactivated_by" TEXT,
ADD COLUMN     "directory_at" TIMESTAMPTZ(3),
ADD COLUMN     "external_id" TEXT,
ADD COLUMN     "profile" JSONB,
ADD COLUMN     "user_name" TEXT;

-- CreateIndex
CREATE INDEX "principal_organization_id_external_id_idx" ON "principal"("organization_id", "external_id");

-- CreateIndex
CREATE UNIQUE INDEX "principal_organization_id_user_name_key" ON "principal"("organization_id", "user_name");
