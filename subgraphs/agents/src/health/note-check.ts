import type { Database } from '@tutti/prisma'
import { type Actor, type NewEvent } from '@tutti/schema'
import type { HealthSettings } from '../reliability/reliability-settings.ts'

/** What a check found; `null`: there was nothing to be seen either way. */
export type CheckResult = { ok: true } | { ok: false; reason: string } | null

/** What of a health row decides. */
interface Health {
  status: string
  failures: number
  successes: number
}

/** Health after a check: unhealthy after so many failures in a row, healthy after so many that went well, or the first. */
export function healthAfter(
  { status, failures, successes }: Health,
  ok: boolean,
  { unhealthyAfter, healthyAfter }: Pick<HealthSettings, 'unhealthyAfter' | 'healthyAfter'>,
): Health {
  const next = ok ? { failures: 0, successes: successes + 1 } : { failures: failures + 1, successes: 0 }
  if (!ok) return { ...next, status: next.failures >= unhealthyAfter ? 'unhealthy' : status }
  const enough = status === 'unhealthy' ? healthyAfter : 1
  return { ...next, status: next.successes >= enough ? 'healthy' : status }
}

/**
 * Keeps what a check found, and when the agent is looked at next. An agent that is gone, or on its way out, is looked at
 * no more. Events: agent.healthy, agent.unhealthy, when that changes.
 */
export async function noteCheck(
  { database }: { database: Database },
  actor: Actor,
  agent: { id: string; name: string; status: string },
  result: CheckResult,
  settings: HealthSettings,
): Promise<void> {
  const inService = agent.status === 'active'
  await database.inTenant(actor, async (tx) => {
    const [before] = await tx.sql<Health>(
      `select status, failures, successes from agent_health where organization_id = $1::uuid and id = $2::uuid for update`,
      actor.organizationId,
      agent.id,
    )
    if (!before) return
    if (!inService) {
      const gone = 'delete from agent_health where organization_id = $1::uuid and id = $2::uuid'
      await tx.sql(gone, actor.organizationId, agent.id)
      return
    }
    const after = result === null ? before : healthAfter(before, result.ok, settings)
    const reason = result?.ok === false ? result.reason.slice(0, 500) : null
    await tx.sql(
      `update agent_health set status = $3, failures = $4, successes = $5, last_error = coalesce($6, last_error),
         since = case when status = $3 then since else clock_timestamp() end,
         last_check_at = case when $7 then clock_timestamp() else last_check_at end,
         due_at = clock_timestamp() + $8::float8 * interval '1 millisecond'
       where organization_id = $1::uuid and id = $2::uuid`,
      actor.organizationId,
      agent.id,
      after.status,
      after.failures,
      after.successes,
      reason,
      result !== null,
      settings.intervalMs,
    )
    const event = eventOf(agent, before.status, after.status, reason)
    if (event) await tx.appendEvent(event)
  })
}

function eventOf(
  { id, name }: { id: string; name: string },
  before: string,
  after: string,
  reason: string | null,
): NewEvent | undefined {
  if (before === after) return undefined
  const subject = `agent/${id}`
  if (after === 'unhealthy')
    return { type: 'agent.unhealthy', subject, data: { agentId: id, name, reason: reason ?? '' } }
  // That it was never looked at before is no news.
  return before === 'unhealthy' ? { type: 'agent.healthy', subject, data: { agentId: id, name } } : undefined
}
