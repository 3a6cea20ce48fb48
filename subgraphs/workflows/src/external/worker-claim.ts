import type { Actor } from '@tutti/schema'
import { fail } from '@tutti/schema'
import type pg from 'pg'
import { z } from 'zod'
import { type HeldItem, lockClaim } from '../board/end-claim.ts'
import { type ReportClaim, readReportToken } from '../tasks/progress/report-token.ts'

/** The token of a claim, read; a mistake among the others when it is none of ours for this organization. */
export const claimToken = (secret: string, { organizationId }: Actor) =>
  z.string().transform((token, context): ReportClaim => {
    const claim = readReportToken(secret, token)
    if (claim?.organizationId === organizationId) return claim
    context.addIssue({
      code: 'custom',
      message: 'That is no token for a task of yours; claimTasks gives one.',
    })
    return z.NEVER
  })

/** The item that was claimed under a token's fence. STALE_LEASE when another claim came after it. */
export async function itemOf(
  client: Pick<pg.ClientBase, 'query'>,
  { organizationId, taskId, fence }: ReportClaim,
): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `select id from board_item
     where organization_id = $1 and task_id = $2 and fence = $3::bigint and for_agent_id is not null`,
    [organizationId, taskId, String(fence)],
  )
  return rows[0]?.id ?? fail('STALE_LEASE', { path: 'input.token' })
}

/** As {@link lockClaim}, by a token. */
export async function lockWorkerClaim(
  client: pg.PoolClient,
  actor: Actor,
  claim: ReportClaim,
): Promise<{ held: HeldItem; over: boolean }> {
  const id = await itemOf(client, claim)
  return lockClaim(client, actor, { id, fence: Number(claim.fence) }, 'input.token')
}
