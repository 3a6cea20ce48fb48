import { actorRecord, type Database, type TenantTransaction } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { idempotencyKey } from '../../messaging/message-input.ts'
import { applyPlan } from './apply-plan.ts'
import { planRebalance } from './plan-rebalance.ts'
import { readSituation } from './read-situation.ts'
import { REBALANCE_COLUMNS, type RebalanceRow, type RecordedAction } from './rebalance-row.ts'

const input = z.object({ idempotencyKey })

/** So many actions are told by an event; the record has them all. */
const MOST_TOLD = 100

/**
 * Plans what is to be done about the organization's agents and does it, at once and whole, but for actions that are refused;
 * of an organization one at a time. Once an idempotency key: again, it answers with what was done then. Events:
 * rebalance.applied, agent.scaled. BAD_INPUT.
 */
export async function rebalance(
  { database }: { database: Database },
  actor: Actor,
  request: object,
): Promise<{ rebalance: RebalanceRow; created: boolean }> {
  const { idempotencyKey: key } = parseInput(input, request)
  return database.inTenant(actor, async (tx) => {
    await takeTurn(tx)
    const [known] =
      key == null
        ? []
        : await tx.sql<RebalanceRow>(
            `select ${REBALANCE_COLUMNS} from rebalance where organization_id = $1::uuid and idempotency_key = $2`,
            actor.organizationId,
            key,
          )
    if (known) return { rebalance: known, created: false }
    const made = await makeRebalance(tx, { status: 'applied', cause: 'request', key: key ?? null })
    return { rebalance: made ?? fail('INTERNAL'), created: true }
  })
}

/** Until the transaction ends nobody else changes shares of the organization. */
export async function takeTurn(tx: Pick<TenantTransaction, 'sql' | 'actor'>): Promise<void> {
  await tx.sql(
    `select pg_advisory_xact_lock(hashtextextended('agents.rebalance/' || $1::text, 7))::text`,
    tx.actor.organizationId,
  )
}

interface Making extends Pick<RebalanceRow, 'status' | 'cause'> {
  key: string | null
}

/**
 * Plans, does it where it is to be applied, and keeps it; who calls has the turn. By schedule nothing is kept when there is
 * nothing to do.
 */
export async function makeRebalance(
  tx: TenantTransaction,
  { status, cause, key }: Making,
): Promise<RebalanceRow | undefined> {
  const { organizationId } = tx.actor
  const situation = await readSituation(organizationId, (text, parameters) => tx.sql(text, ...parameters))
  const plan = planRebalance(situation)
  if (cause === 'schedule' && plan.actions.length === 0) return undefined
  const actions: RecordedAction[] =
    status === 'applied'
      ? await applyPlan(tx, plan.actions)
      : plan.actions.map((action) => ({ ...action, refusal: null }))
  const [made] = await tx.sql<RebalanceRow>(
    `insert into rebalance (organization_id, status, cause, requested_by, idempotency_key, actions, overloaded)
     values ($1::uuid, $2, $3, $4::jsonb, $5, $6::jsonb, $7::jsonb) returning ${REBALANCE_COLUMNS}`,
    organizationId,
    status,
    cause,
    JSON.stringify(actorRecord(tx.actor)),
    key,
    JSON.stringify(actions),
    JSON.stringify(plan.overloaded),
  )
  if (!made) return fail('INTERNAL')
  await tx.appendEvent({
    type: status === 'applied' ? 'rebalance.applied' : 'rebalance.planned',
    subject: `rebalance/${made.id}`,
    data: {
      rebalanceId: made.id,
      cause,
      actions: actions.slice(0, MOST_TOLD).map(({ action, agentId, from, to, reason, refusal, ...rest }) => ({
        action,
        agentId,
        toAgentId: 'toAgentId' in rest ? rest.toAgentId : null,
        from,
        to,
        reason,
        refusal,
      })),
      overloaded: plan.overloaded.length,
    },
  })
  await forget(tx)
  return made
}

/** What is 30 days past says nothing of load any more; what was done is kept for 90. */
async function forget(tx: Pick<TenantTransaction, 'sql' | 'actor'>): Promise<void> {
  for (const sql of [
    `delete from agent_share where organization_id = $1::uuid and until < clock_timestamp() - interval '30 days' returning id`,
    `delete from rebalance where organization_id = $1::uuid and created_at < clock_timestamp() - interval '90 days' returning id`,
  ])
    await tx.sql(sql, tx.actor.organizationId)
}
