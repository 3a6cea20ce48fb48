import type { Database } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { type QuotaRow, SELECT_QUOTAS } from './quota-row.ts'

const count = z.int().min(0).max(1_000_000_000).nullish()
const amount = z.number().min(0).max(1e12).nullish()

const input = z
  .object({
    domainId: z.string().nullish(),
    teamId: z.string().nullish(),
    maxInstances: count,
    maxTasks: count,
    maxMemoryMb: amount,
    maxCpuCores: amount,
    maxStorageMb: amount,
    maxBandwidthMbps: amount,
  })
  .refine(({ domainId, teamId }) => domainId == null || teamId == null, {
    path: ['teamId'],
    message: 'It is about a domain or a team, not both.',
  })

/**
 * Sets what the agents of the organization, a domain or a team may set aside; the quota before is replaced. What is set
 * aside stays, also above it; nothing is added then. Events: `quota.changed`. BAD_INPUT, NOT_FOUND.
 */
export async function setQuota(
  { database }: { database: Database },
  actor: Actor,
  request: object,
): Promise<QuotaRow> {
  const { domainId = null, teamId = null, ...most } = parseInput(input, request)
  return database.inTenant(actor, async (tx) => {
    const { organizationId } = actor
    // As for who asks for room: quotas change one at a time.
    await tx.sql(
      'select organization_id from organization where organization_id = $1::uuid for no key update',
      organizationId,
    )
    for (const [table, id, path] of [
      ['domain', domainId, 'input.domainId'],
      ['team', teamId, 'input.teamId'],
    ] as const) {
      if (id === null) continue
      const [found] = isId(id)
        ? await tx.sql(
            `select id from ${table} where organization_id = $1::uuid and id = $2::uuid`,
            organizationId,
            id,
          )
        : []
      if (!found) fail('NOT_FOUND', { path, message: `There is no such ${table}.` })
    }
    await tx.sql(
      `delete from agent_quota where organization_id = $1::uuid and domain_id is not distinct from $2::uuid
         and team_id is not distinct from $3::uuid returning id`,
      organizationId,
      domainId,
      teamId,
    )
    const [made] = await tx.sql<{ id: string }>(
      `insert into agent_quota (organization_id, domain_id, team_id, max_instances, max_tasks, max_memory_mb, max_cpu_cores,
         max_storage_mb, max_bandwidth_mbps)
       values ($1::uuid, $2::uuid, $3::uuid, $4::int, $5::int, $6::float8, $7::float8, $8::float8, $9::float8) returning id`,
      organizationId,
      domainId,
      teamId,
      most.maxInstances ?? null,
      most.maxTasks ?? null,
      most.maxMemoryMb ?? null,
      most.maxCpuCores ?? null,
      most.maxStorageMb ?? null,
      most.maxBandwidthMbps ?? null,
    )
    if (!made) return fail('INTERNAL')
    const data = { quotaId: made.id, domainId, teamId }
    await tx.appendEvent({ type: 'quota.changed', subject: `quota/${made.id}`, data })
    const [quota] = await tx.sql<QuotaRow>(
      `${SELECT_QUOTAS} where q.organization_id = $1::uuid and q.id = $2::uuid`,
      organizationId,
      made.id,
    )
    return quota ?? fail('INTERNAL')
  })
}
