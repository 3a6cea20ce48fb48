import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'

/** NOT_FOUND with the path `input.teamId` when there is no such team. */
export async function requireTeam(tx: TenantTransaction, id: string): Promise<void> {
  const team = isId(id) ? await tx.db.team.findFirst({ where: { id }, select: { id: true } }) : null
  if (!team) fail('NOT_FOUND', { path: 'input.teamId' })
}
