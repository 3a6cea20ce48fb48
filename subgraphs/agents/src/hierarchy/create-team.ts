import type { Database } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail, requireIn } from '@tutti/schema'
import { z } from 'zod'
import { TEAM_COLUMNS, type TeamRow } from './hierarchy-rows.ts'
import { unitName } from './unit-name.ts'

const input = z.object({
  domainId: z.string(),
  name: unitName,
  priority: z.enum(['low', 'normal', 'high', 'critical'], 'One of low, normal, high, critical.').nullish(),
})

/** A team to create; `priority` is normal unless given. */
export interface CreateTeamRequest {
  domainId: string
  name: string
  priority?: string | null | undefined
}

/** Creates a team, or finds the one of that name in its domain, as it is. NOT_FOUND when there is no such domain, FORBIDDEN outside of one's own. */
export async function createTeam(
  { database }: { database: Database },
  actor: Actor,
  request: CreateTeamRequest,
): Promise<TeamRow> {
  const { domainId, name, priority } = parseInput(input, request)
  return database.inTenant(actor, async (tx) => {
    const domain = isId(domainId)
      ? await tx.db.domain.findFirst({ where: { id: domainId }, select: { id: true } })
      : null
    if (!domain) fail('NOT_FOUND', { path: 'input.domainId' })
    requireIn(actor, 'agents:write', { domainId, teamId: null }, 'input.domainId')
    const [created] = await tx.sql<TeamRow>(
      `insert into team (organization_id, domain_id, name, priority) values ($1::uuid, $2::uuid, $3, $4)
       on conflict (organization_id, domain_id, name) do nothing returning ${TEAM_COLUMNS}`,
      actor.organizationId,
      domainId,
      name,
      priority ?? 'normal',
    )
    if (created) return created
    const select = { id: true, domainId: true, name: true, priority: true } as const
    return (await tx.db.team.findFirst({ where: { domainId, name }, select })) ?? fail('INTERNAL')
  })
}
