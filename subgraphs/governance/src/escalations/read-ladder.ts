import type { SqlTransaction } from '@tutti/prisma'
import { DEFAULT_LADDER, type LevelRule } from './escalation-level.ts'

/** Where something comes from. */
export interface Place {
  teamId: string | null
  domainId: string | null
}

/** The levels that hold for what comes from a place: its team's, its domain's, the organization's, or the built-in ones. */
export async function readLadder(
  tx: SqlTransaction,
  { teamId, domainId }: Place,
): Promise<readonly LevelRule[]> {
  const [policy] = await tx.sql<{ levels: LevelRule[] }>(
    `select levels from escalation_policy
     where organization_id = $1::uuid and ((scope = 'team' and scope_id = $2::uuid)
       or (scope = 'domain' and scope_id = $3::uuid) or scope = 'organization')
     order by array_position(array['team', 'domain', 'organization'], scope) limit 1`,
    tx.actor.organizationId,
    teamId,
    domainId,
  )
  return policy?.levels ?? DEFAULT_LADDER
}
