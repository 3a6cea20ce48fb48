import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type { CheckResult } from './note-check.ts'

/**
 * How the workers of an external agent are, by what they claim and renew: well when one holds a task, or ended one within
 * `withinMs`; not well when a task has waited for longer than that and nobody has taken it. Null when there is no work.
 */
export async function signsOfWorkers(
  { database }: { database: Database },
  actor: Actor,
  agentId: string,
  withinMs: number,
): Promise<CheckResult> {
  const [row] = await database.readTenant<{ alive: boolean | null; left: boolean | null }>(
    actor,
    `select bool_or(status = 'claimed' and lease_until > clock_timestamp()
         or claimed_by is not null and ended_at > clock_timestamp() - $3::float8 * interval '1 millisecond') as alive,
       bool_or(status in ('open', 'claimed') and created_at < clock_timestamp() - $3::float8 * interval '1 millisecond') as left
     from board_item where organization_id = $1::uuid and for_agent_id = $2::uuid
       and (status in ('open', 'claimed') or ended_at > clock_timestamp() - $3::float8 * interval '1 millisecond')`,
    [actor.organizationId, agentId, withinMs],
  )
  if (row?.alive) return { ok: true }
  return row?.left ? { ok: false, reason: 'Work waits, and no worker has taken it.' } : null
}
