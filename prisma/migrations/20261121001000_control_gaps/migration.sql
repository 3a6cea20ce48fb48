-- AlterTable
ALTER TABLE "run" ADD COLUMN     "paused_with_parent" BOOLEAN NOT NULL DEFAULT false;
