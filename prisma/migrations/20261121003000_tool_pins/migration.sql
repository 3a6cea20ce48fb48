-- Tools of MCP servers as they were approved.
-- CreateTable
CREATE TABLE "agent_tool_pin" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "agent_id" UUID NOT NULL,
    "tool" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "description" TEXT,
    "pinned_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "pinned_by" JSONB NOT NULL,
    "pending_hash" TEXT,
    "pending_description" TEXT,
    "pending_at" TIMESTAMPTZ(3),

    CONSTRAINT "agent_tool_pin_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "agent_tool_pin_organization_id_agent_id_tool_key" ON "agent_tool_pin"("organization_id", "agent_id", "tool");

-- AddForeignKey
ALTER TABLE "agent_tool_pin" ADD CONSTRAINT "agent_tool_pin_organization_id_agent_id_fkey" FOREIGN KEY ("organization_id", "agent_id") REFERENCES "agent"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

call tutti_protect('agent_tool_pin');
