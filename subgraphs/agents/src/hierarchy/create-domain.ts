import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { DomainRow } from './hierarchy-rows.ts'
import { unitName } from './unit-name.ts'

const input = z.object({ name: unitName })

/** Creates a domain, or finds the one of that name. */
export async function createDomain(
  { database }: { database: Database },
  actor: Actor,
  request: z.input<typeof input>,
): Promise<DomainRow> {
  const { name } = parseInput(input, request)
  return database.inTenant(actor, async (tx) => {
    const [created] = await tx.sql<DomainRow>(
      `insert into domain (organization_id, name) values ($1::uuid, $2)
       on conflict (organization_id, name) do nothing returning id, name`,
      actor.organizationId,
      name,
    )
    if (created) return created
    const found = await tx.db.domain.findFirst({ where: { name }, select: { id: true, name: true } })
    return found ?? fail('INTERNAL')
  })
}
