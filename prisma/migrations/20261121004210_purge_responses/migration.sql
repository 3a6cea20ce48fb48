-- AlterTable
ALTER TABLE "model_response" ADD COLUMN     "agent_id" UUID;
