import { actorRecord, type TenantTransaction } from '@tutti/prisma'
import { fail } from '@tutti/schema'
import { forgetFailures } from '../breaker/forget-failures.ts'
import type { Registration } from '../agents/read-registration.ts'

/** A version as readers see it. */
export interface AgentVersionRow {
  id: string
  agentId: string
  number: number
  version: string
  capabilities: string[]
  configuration: unknown
  configurationHash: string
  createdBy: { id: string; kind: string; name: string }
  createdAt: Date
}

/** The columns of an {@link AgentVersionRow}. */
export const VERSION_COLUMNS = `id, agent_id as "agentId", number, version, capabilities, configuration,
  configuration_hash as "configurationHash", created_by as "createdBy", created_at as "createdAt"`

/**
 * The version with this configuration: the one that is there, else a new one. The agent's row is locked by the caller.
 */
export async function makeVersion(
  tx: Pick<TenantTransaction, 'sql' | 'actor'>,
  agentId: string,
  { configuration, executor, shown, hash }: Registration,
): Promise<{ number: number; created: boolean }> {
  const { organizationId } = tx.actor
  const [known] = await tx.sql<{ number: number }>(
    `select number from agent_version where organization_id = $1::uuid and agent_id = $2::uuid and configuration_hash = $3`,
    organizationId,
    agentId,
    hash,
  )
  if (known) return { number: known.number, created: false }
  const { type, version } = configuration.metadata
  const [made] = await tx.sql<{ number: number }>(
    `insert into agent_version (organization_id, agent_id, number, type, version, capabilities, executor, configuration,
       configuration_hash, created_by)
     select $1::uuid, $2::uuid, coalesce(max(number), 0) + 1, $3, $4, $5::text[], $6::jsonb, $7::jsonb, $8, $9::jsonb
     from agent_version where organization_id = $1::uuid and agent_id = $2::uuid returning number`,
    organizationId,
    agentId,
    type,
    version,
    configuration.capabilities,
    JSON.stringify(executor),
    JSON.stringify(shown),
    hash,
    JSON.stringify(actorRecord(tx.actor)),
  )
  return { number: made?.number ?? fail('INTERNAL'), created: true }
}

/**
 * Makes a version the one that workers go by, and closes the agent's breaker where it is called in another way from now on. The
 * agent's row is locked by the caller. False when there is no such version. Events: breaker.closed.
 */
export async function copyToAgent(
  tx: Pick<TenantTransaction, 'sql' | 'actor' | 'appendEvent'>,
  agentId: string,
  number: number,
): Promise<boolean> {
  const [agent] = await tx.sql<{ id: string; name: string; otherwise: boolean }>(
    `update agent a set type = v.type, version = v.version, capabilities = v.capabilities, executor = v.executor,
       configuration = v.configuration, configuration_hash = v.configuration_hash, serving_version = v.number, updated_at = now()
     from agent_version v where v.organization_id = a.organization_id and v.agent_id = a.id and v.number = $3::int
       and a.organization_id = $1::uuid and a.id = $2::uuid
     returning a.id, a.name, old.executor is distinct from new.executor as otherwise`,
    tx.actor.organizationId,
    agentId,
    number,
  )
  if (agent?.otherwise) await forgetFailures(tx, agent)
  return agent !== undefined
}
