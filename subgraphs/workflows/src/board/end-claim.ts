import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type pg from 'pg'
import { type CoreEvent, isRunPaused, type RunStatus } from '../engine/core/index.ts'
import { type BoardItemRow, ITEM_COLUMNS } from './board-item.ts'

/** A claim, as whoever has it names it. */
export interface Claim {
  id: string
  /** The item's, as the claim was answered with it. */
  fence: number
}

/** An item under the caller's claim, locked, with the step that waits for it. */
export interface HeldItem {
  item: BoardItemRow
  /** Absent: nobody waits. */
  step?: {
    strandId: string
    node: string
    versionId: string
    runStatus: RunStatus
  }
}

/**
 * Locks the run and the strand that wait for an item, then the item: in the order in which the engine locks them.
 * NOT_FOUND; STALE_LEASE, with the path `at`, when the claim is not the caller's, or is over. One that it has ended itself
 * by this very claim is `over`, whatever the end.
 */
export async function lockClaim(
  client: pg.PoolClient,
  actor: Actor,
  { id, fence }: Claim,
  at = 'input.fence',
): Promise<{ held: HeldItem; over: boolean }> {
  const o = actor.organizationId
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const step = await lockStep(client, o, id)
  const { rows } = await client.query<BoardItemRow & { stored: string; holder: string | null }>(
    `select ${ITEM_COLUMNS}, i.status as stored, i.claimed_by->>'id' as holder from board_item i
     where i.organization_id = $1 and i.id = $2 for no key update of i`,
    [o, id],
  )
  const row = rows[0] ?? fail('NOT_FOUND', { path: 'input.id' })
  const { stored, holder, ...item } = row
  const isOwn = item.fence === fence && holder === actor.id
  // Its time is over, or somebody answered in the peer's place, and the engine is about to say so.
  const isLate = item.taskId !== null && !step
  const over = isOwn && (stored === 'completed' || stored === 'failed')
  if (!over && (!isOwn || item.status !== 'claimed' || isLate))
    fail('STALE_LEASE', {
      path: at,
      message:
        item.status === 'withdrawn' || isLate
          ? 'The step that waited for it waits no more; stop working on it.'
          : 'The claim is over, or not yours; stop working on it.',
    })
  return { held: { item, ...(step ? { step } : {}) }, over }
}

/** Whether a waiting strand `s` waits for the item `i`. */
export const WAITS_FOR = `s.wait_key = case when i.for_agent_id is null then 'board:' || i.capability else 'worker:' || i.task_id end`

async function lockStep(client: pg.PoolClient, o: string, id: string): Promise<HeldItem['step']> {
  const { rows } = await client.query<NonNullable<HeldItem['step']>>(
    `select s.id as "strandId", t.node_id as node, r.version_id as "versionId", r.status as "runStatus"
     from board_item i
     join task t on t.organization_id = i.organization_id and t.id = i.task_id
     join run r on r.organization_id = i.organization_id and r.id = i.run_id
     join strand s on s.organization_id = i.organization_id and s.run_id = r.id and s.task_id = t.id
     where i.organization_id = $1 and i.id = $2 and s.status = 'waiting' and ${WAITS_FOR}
     for key share of r for no key update of s`,
    [o, id],
  )
  return rows[0]
}

/** Lets the step go on that waited; held while its run is paused. */
export async function wakeStep(
  client: pg.PoolClient,
  actor: Actor,
  { strandId, runStatus }: NonNullable<HeldItem['step']>,
  resume: CoreEvent,
): Promise<void> {
  await client.query(
    `update strand set status = $3, due_at = case when $3 = 'ready' then clock_timestamp() end, resume = $4,
       wait_key = null, fence = fence + 1
     where organization_id = $1 and id = $2`,
    [actor.organizationId, strandId, isRunPaused(runStatus) ? 'held' : 'ready', JSON.stringify(resume)],
  )
}
