-- Quotas of teams, of storage, bandwidth and tasks at once.
-- AlterTable
ALTER TABLE "agent_allocation" ADD COLUMN     "bandwidth_mbps" DOUBLE PRECISION NOT NULL DEFAULT 0,
ADD COLUMN     "max_tasks" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "storage_mb" DOUBLE PRECISION NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "agent_quota" ADD COLUMN     "max_bandwidth_mbps" DOUBLE PRECISION,
ADD COLUMN     "max_storage_mb" DOUBLE PRECISION,
ADD COLUMN     "max_tasks" INTEGER,
ADD COLUMN     "team_id" UUID;

-- What is set aside already takes as many tasks at once as it did.
update agent_allocation x set max_tasks = x.instances * coalesce((a.configuration->'resource_requirements'->>'max_concurrent_tasks')::int, 1)
from agent a where a.organization_id = x.organization_id and a.id = x.agent_id;
