-- Credentials, encrypted by a key of their tenant, which a master key outside the database wraps.
-- CreateTable
CREATE TABLE "data_key" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "version" INTEGER NOT NULL,
    "master_key" TEXT NOT NULL,
    "wrapped" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "data_key_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "credential" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "agent_id" UUID,
    "provider" TEXT,
    "origins" TEXT[],
    "data_key_id" UUID NOT NULL,
    "nonce" BYTEA NOT NULL,
    "ciphertext" BYTEA NOT NULL,
    "last_four" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "rotated_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "credential_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "data_key_organization_id_version_key" ON "data_key"("organization_id", "version");

-- CreateIndex
CREATE INDEX "credential_organization_id_data_key_id_id_idx" ON "credential"("organization_id", "data_key_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "credential_organization_id_name_key" ON "credential"("organization_id", "name");

-- AddForeignKey
ALTER TABLE "credential" ADD CONSTRAINT "credential_organization_id_agent_id_fkey" FOREIGN KEY ("organization_id", "agent_id") REFERENCES "agent"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "credential" ADD CONSTRAINT "credential_organization_id_data_key_id_fkey" FOREIGN KEY ("organization_id", "data_key_id") REFERENCES "data_key"("organization_id", "id") ON DELETE RESTRICT ON UPDATE NO ACTION;

call tutti_protect('data_key');
call tutti_protect('credential');
