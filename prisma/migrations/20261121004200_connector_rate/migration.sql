-- AlterTable
ALTER TABLE "connector" ADD COLUMN     "max_per_minute" INTEGER,
ADD COLUMN     "refilled_at" TIMESTAMPTZ(6),
ADD COLUMN     "tokens" DOUBLE PRECISION;
