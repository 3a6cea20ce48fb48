import { type Actor, fail } from '@tutti/schema'
import { actorRecord } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import type pg from 'pg'
import { z } from 'zod'
import type { Services } from '../context.ts'
import { readReason } from '../runs/control/read-reason.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import {
  aboutContainment,
  CONTAINMENT_COLUMNS,
  CONTAINMENT_SCOPES,
  type ContainmentRow,
  type ContainmentScope,
} from './containment-row.ts'
import { stopWork } from './stop-work.ts'

/** What to stop, and why. */
export interface ContainmentOrder {
  /** A {@link ContainmentScope}. */
  scope: string
  /** The agent, workflow or domain; none for the organization. */
  id?: string | null | undefined
  reason: string
}

/**
 * Orders a stop. From its commit on no work of it is claimed, and before this returns what was under way is fenced off.
 * What was ordered already stands as it was. BAD_INPUT, NOT_FOUND with the path `input.id`.
 */
export async function contain(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  { scope: given, id, reason }: ContainmentOrder,
): Promise<ContainmentRow> {
  const scope = parseInput(z.enum(CONTAINMENT_SCOPES), given, 'input.scope')
  const why = readReason(reason) ?? fail('BAD_INPUT', { path: 'input.reason', message: 'Say why.' })
  const order = await database.transact(actor, async (client) => {
    const targetId = await findTarget(client, actor, scope, id)
    let order: ContainmentRow | undefined
    // One that stood may be lifted between the two: then it is ordered anew.
    while (!order) {
      const { rows: ordered } = await client.query<ContainmentRow>(
        `insert into containment (organization_id, scope, target_id, reason, ordered_by) values ($1, $2, $3, $4, $5)
         on conflict (organization_id, scope, target_id) where lifted_at is null do nothing returning ${CONTAINMENT_COLUMNS}`,
        [actor.organizationId, scope, targetId, why, JSON.stringify(actorRecord(actor))],
      )
      order = ordered[0]
      const standing = order ? undefined : await inForce(client, actor, scope, targetId)
      if (standing) return { row: standing, isNew: false }
    }
    await carryOver(client, actor, order)
    const { subject, data } = aboutContainment(order)
    await recordEvents(client, actor, [
      { type: 'containment.ordered', subject, data: { ...data, reason: why } },
    ])
    return { row: order, isNew: true }
  })
  if (order.isNew) database.announce()
  await stopWork(database, actor, order.row)
  return order.row
}

const TABLES = { agent: 'agent', workflow: 'workflow', domain: 'domain' } as const

async function findTarget(
  client: pg.PoolClient,
  { organizationId }: Actor,
  scope: ContainmentScope,
  id: string | null | undefined,
): Promise<string> {
  if (scope === 'organization') {
    if (id != null)
      fail('BAD_INPUT', { path: 'input.id', message: 'The organization is your own; give no id.' })
    return organizationId
  }
  if (id == null) return fail('BAD_INPUT', { path: 'input.id', message: `Say which ${scope}.` })
  const { rowCount } = await client.query(
    `select from ${TABLES[scope]} where organization_id = $1 and id = $2`,
    [organizationId, isId(id) ? id : null],
  )
  return rowCount === 1 ? id : fail('NOT_FOUND', { path: 'input.id' })
}

async function inForce(
  client: pg.PoolClient,
  { organizationId }: Actor,
  scope: ContainmentScope,
  targetId: string,
): Promise<ContainmentRow | undefined> {
  const { rows } = await client.query<ContainmentRow>(
    `select ${CONTAINMENT_COLUMNS} from containment
     where organization_id = $1 and scope = $2 and target_id = $3 and lifted_at is null`,
    [organizationId, scope, targetId],
  )
  return rows[0]
}

/** What another order fenced off and nobody has proven to have stopped is still under way, of this order as well. */
async function carryOver(
  client: pg.PoolClient,
  { organizationId }: Actor,
  order: ContainmentRow,
): Promise<void> {
  await client.query(
    `insert into containment_stop (organization_id, containment_id, strand_id, run_id, workflow_id, task_id, agent_id, fence,
       fenced_at, lease_end)
     select distinct on (s.strand_id, s.fence) $1::uuid, $2::uuid, s.strand_id, s.run_id, s.workflow_id, s.task_id,
       s.agent_id, s.fence, s.fenced_at, s.lease_end
     from containment_stop s where s.organization_id = $1 and s.acknowledged_at is null and s.lease_end > clock_timestamp()
       and tutti_in_scope($3, $4, s.organization_id, s.workflow_id, s.agent_id, s.run_id)`,
    [organizationId, order.id, order.scope, order.targetId],
  )
}
