import type { TenantTransaction } from '@tutti/prisma'
import { requireIn } from '@tutti/schema'

/** FORBIDDEN unless the actor may write agents everywhere, or in this team; an agent of no team is in no place. */
export async function requirePlace(
  tx: TenantTransaction,
  teamId: string | null,
  path: string,
): Promise<void> {
  const { actor } = tx
  if (actor.scopes.includes('agents:write')) return
  const team =
    teamId === null
      ? null
      : await tx.db.team.findFirst({ where: { id: teamId }, select: { id: true, domainId: true } })
  requireIn(actor, 'agents:write', { teamId: team?.id ?? null, domainId: team?.domainId ?? null }, path)
}
