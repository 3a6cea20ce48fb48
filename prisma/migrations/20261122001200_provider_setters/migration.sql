-- Who last said what an identity provider's groups are here: it gives them nothing at their own login.
-- AlterTable
ALTER TABLE "identity_provider" ADD COLUMN     "set_by" TEXT[] DEFAULT ARRAY[]::TEXT[];
