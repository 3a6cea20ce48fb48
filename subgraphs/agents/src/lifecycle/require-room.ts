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

/** What is set aside for instances in all. */
export interface Allocation {
  instances: number
  memoryMb: number
  cpuCores: number
  storageMb: number
  bandwidthMbps: number
  tasks: number
}

/** What so many instances need. */
export const allocationOf = ({ instances, needs }: Pick<Wanted, 'instances' | 'needs'>): Allocation => ({
  instances,
  memoryMb: needs.memoryMb * instances,
  cpuCores: needs.cpuCores * instances,
  storageMb: needs.storageMb * instances,
  bandwidthMbps: needs.bandwidthMbps * instances,
  tasks: needs.tasks * instances,
})

type QuotaRow = { domain: string | null; team: string | null } & {
  [Kind in keyof Allocation]: { most: number | null; used: number }
}

/** Each kind with its columns, and how a refusal calls it. */
const KINDS: readonly {
  kind: keyof Allocation
  most: string
  allocated: string
  path: string
  what: string
}[] = [
  { kind: 'instances', most: 'max_instances', allocated: 'instances', path: 'instances', what: 'instances' },
  {
    kind: 'memoryMb',
    most: 'max_memory_mb',
    allocated: 'memory_mb',
    path: 'resource_requirements.memory_mb',
    what: 'MB of memory',
  },
  {
    kind: 'cpuCores',
    most: 'max_cpu_cores',
    allocated: 'cpu_cores',
    path: 'resource_requirements.cpu_cores',
    what: 'cores',
  },
  {
    kind: 'storageMb',
    most: 'max_storage_mb',
    allocated: 'storage_mb',
    path: 'resource_requirements.storage_mb',
    what: 'MB of storage',
  },
  {
    kind: 'bandwidthMbps',
    most: 'max_bandwidth_mbps',
    allocated: 'bandwidth_mbps',
    path: 'resource_requirements.bandwidth_mbps',
    what: 'Mbit/s',
  },
  {
    kind: 'tasks',
    most: 'max_tasks',
    allocated: 'max_tasks',
    path: 'resource_requirements.max_concurrent_tasks',
    what: 'tasks at once',
  },
]

/** SQL: of each kind a JSON object with the quota's bound and what is set aside; tables `q` and `u`. */
export const QUOTA_KINDS = KINDS.map(
  ({ kind, most, allocated }) =>
    `jsonb_build_object('most', q.${most}, 'used', coalesce(u.${allocated}, 0)) as "${kind}"`,
).join(', ')

/** SQL: what a quota `q` counts, of all agents but the one of this parameter. */
export const quotaUse = (exceptAgent: string): string => `left join lateral (
    select ${KINDS.map(({ allocated }) => `sum(a.${allocated}) as ${allocated}`).join(', ')} from agent_allocation a
    left join team t on t.organization_id = a.organization_id and t.id = a.team_id
    where a.organization_id = q.organization_id and a.agent_id is distinct from ${exceptAgent}::uuid
      and (q.domain_id is null or t.domain_id = q.domain_id) and (q.team_id is null or a.team_id = q.team_id)
  ) u on true`

/**
 * Whether the quotas of the organization, the domain and the team have room for what an agent wants instead of what it has.
 * Until the transaction ends nobody else gets any. QUOTA_EXCEEDED with every bound that would be passed and what is free.
 */
export async function requireRoom(
  tx: Pick<TenantTransaction, 'sql' | 'actor'>,
  wanted: Wanted,
): Promise<void> {
  const { organizationId } = tx.actor
  await tx.sql(
    'select organization_id from organization where organization_id = $1::uuid for no key update',
    organizationId,
  )
  const quotas = await tx.sql<QuotaRow>(
    `select d.name as domain, o.name as team, ${QUOTA_KINDS}
     from agent_quota q left join domain d on d.organization_id = q.organization_id and d.id = q.domain_id
     left join team o on o.organization_id = q.organization_id and o.id = q.team_id
     ${quotaUse('$2')}
     where q.organization_id = $1::uuid and (q.team_id is null or q.team_id = $3::uuid) and (q.domain_id is null or q.domain_id =
       (select t.domain_id from team t where t.organization_id = $1::uuid and t.id = $3::uuid))
     order by q.domain_id nulls first, q.team_id nulls first`,
    organizationId,
    wanted.agentId,
    wanted.teamId,
  )
  const needed = allocationOf(wanted)
  const problems = quotas.flatMap((quota): Problem[] =>
    KINDS.flatMap(({ kind, path, what }): Problem[] => {
      const { most, used } = quota[kind]
      if (most === null || used + needed[kind] <= most) return []
      const free = Math.max(0, most - used)
      const message = `${needed[kind]} ${what} do not fit: ${nameOf(quota)} has ${most}, of which ${used} are in use and ${free} free.`
      return [{ code: 'quota_exceeded', path, message }]
    }),
  )
  if (problems.length > 0)
    fail('QUOTA_EXCEEDED', { path: 'input.instances', message: problems[0]?.message, problems })
}

const nameOf = ({ domain, team }: QuotaRow): string =>
  team === null ? (domain === null ? 'the organization' : `the domain "${domain}"`) : `the team "${team}"`

/** Sets aside what an agent's instances need, instead of what was set aside for it. The quota was looked at before. */
export async function allocate(tx: Pick<TenantTransaction, 'sql' | 'actor'>, wanted: Wanted): Promise<void> {
  const { organizationId } = tx.actor
  const { agentId, teamId } = wanted
  const { instances, memoryMb, cpuCores, storageMb, bandwidthMbps, tasks } = allocationOf(wanted)
  await tx.sql(
    'delete from agent_allocation where organization_id = $1::uuid and agent_id = $2::uuid and deployment_id is null returning id',
    organizationId,
    agentId,
  )
  await tx.sql(
    `insert into agent_allocation (organization_id, agent_id, team_id, instances, memory_mb, cpu_cores, storage_mb,
       bandwidth_mbps, max_tasks)
     values ($1::uuid, $2::uuid, $3::uuid, $4::int, $5::float8, $6::float8, $7::float8, $8::float8, $9::int) returning id`,
    organizationId,
    agentId,
    teamId,
    instances,
    memoryMb,
    cpuCores,
    storageMb,
    bandwidthMbps,
    tasks,
  )
}

/** What an agent with this many instances wants by its present configuration. */
export const wantedBy = (
  { id, teamId, configuration }: { id: string; teamId: string | null; configuration: unknown },
  instances: number,
): Wanted => ({ agentId: id, teamId, instances, needs: needsOf(configuration) })
