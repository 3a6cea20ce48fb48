import type { TenantTransaction } from '@tutti/prisma'
import { fail, type Problem } from '@tutti/schema'
import { type InstanceNeeds, needsOf } from './needs-of.ts'

/** What an agent wants in all. */
export interface Wanted {
  agentId: string
  teamId: string | null
  instances: number
  needs: InstanceNeeds
}

interface QuotaRow {
  domain: string | null
  maxInstances: number | null
  maxMemoryMb: number | null
  maxCpuCores: number | null
  instances: number
  memoryMb: number
  cpuCores: number
}

/**
 * Whether the organization's and the domain's quotas have room for what an agent wants instead of what it has. Until the
 * transaction ends nobody else gets any. INVALID_STATE with every bound that would be passed.
 */
export async function requireRoom(
  tx: Pick<TenantTransaction, 'sql' | 'actor'>,
  { agentId, teamId, instances, needs }: Wanted,
): Promise<void> {
  const { organizationId } = tx.actor
  await tx.sql(
    'select organization_id from organization where organization_id = $1::uuid for no key update',
    organizationId,
  )
  const quotas = await tx.sql<QuotaRow>(
    `select d.name as domain, q.max_instances as "maxInstances", q.max_memory_mb as "maxMemoryMb", q.max_cpu_cores as "maxCpuCores",
       coalesce(u.instances, 0)::int as instances, coalesce(u.memory, 0)::float8 as "memoryMb", coalesce(u.cores, 0)::float8 as "cpuCores"
     from agent_quota q left join domain d on d.organization_id = q.organization_id and d.id = q.domain_id
     left join lateral (
       select sum(a.instances) as instances, sum(a.memory_mb) as memory, sum(a.cpu_cores) as cores from agent_allocation a
       left join team t on t.organization_id = a.organization_id and t.id = a.team_id
       where a.organization_id = q.organization_id and a.agent_id <> $2::uuid and (q.domain_id is null or t.domain_id = q.domain_id)
     ) u on true
     where q.organization_id = $1::uuid and (q.domain_id is null or q.domain_id =
       (select t.domain_id from team t where t.organization_id = $1::uuid and t.id = $3::uuid))`,
    organizationId,
    agentId,
    teamId,
  )
  const problems = quotas.flatMap((quota): Problem[] => {
    const of = quota.domain === null ? 'the organization' : `the domain "${quota.domain}"`
    const over = (path: string, what: string, used: number, wanted: number, most: number | null): Problem[] =>
      most === null || used + wanted <= most
        ? []
        : [
            {
              code: 'quota_exceeded',
              path,
              message: `${wanted} ${what} do not fit: ${of} has ${most}, of which ${used} are in use.`,
            },
          ]
    return [
      ...over('instances', 'instances', quota.instances, instances, quota.maxInstances),
      ...over(
        'resource_requirements.memory_mb',
        'MB of memory',
        quota.memoryMb,
        needs.memoryMb * instances,
        quota.maxMemoryMb,
      ),
      ...over(
        'resource_requirements.cpu_cores',
        'cores',
        quota.cpuCores,
        needs.cpuCores * instances,
        quota.maxCpuCores,
      ),
    ]
  })
  if (problems.length > 0)
    fail('INVALID_STATE', { path: 'input.instances', message: problems[0]?.message, problems })
}

/** Sets aside what an agent's instances need, instead of what was set aside for it. The quota was looked at before. */
export async function allocate(
  tx: Pick<TenantTransaction, 'sql' | 'actor'>,
  { agentId, teamId, instances, needs }: Wanted,
): Promise<void> {
  const { organizationId } = tx.actor
  await tx.sql(
    'delete from agent_allocation where organization_id = $1::uuid and agent_id = $2::uuid and deployment_id is null returning id',
    organizationId,
    agentId,
  )
  await tx.sql(
    `insert into agent_allocation (organization_id, agent_id, team_id, instances, memory_mb, cpu_cores)
     values ($1::uuid, $2::uuid, $3::uuid, $4::int, $5::float8, $6::float8) returning id`,
    organizationId,
    agentId,
    teamId,
    instances,
    needs.memoryMb * instances,
    needs.cpuCores * instances,
  )
}

/** What an agent with this many instances wants by its present configuration. */
export const wantedBy = (
  { id, teamId, configuration }: { id: string; teamId: string | null; configuration: unknown },
  instances: number,
): Wanted => ({ agentId: id, teamId, instances, needs: needsOf(configuration) })
