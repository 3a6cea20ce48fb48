import { actorRecord } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { z } from 'zod'
import type { Services } from '../context.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { isStorableText } from '../triggers/unstorable.ts'
import { aboutItem, type BoardItemRow, IS_OPEN, ITEM_COLUMNS } from './board-item.ts'
import { findPeer, type Peer } from './find-peer.ts'
import { leaseSeconds } from './lease.ts'

const MOST = 100

const inputSchema = z.object({
  agentId: z.string().nullish(),
  capabilities: z
    .array(z.string().refine(isStorableText, 'No capability holds a NUL.'))
    .max(MOST, `At most ${MOST}.`)
    .nullish(),
  most: z.int().min(1, 'At least 1.').max(MOST, `At most ${MOST}.`).nullish(),
  leaseSeconds,
})

/**
 * Claims the oldest open items that the peer can do, under a lease; those that others claim at the same moment are passed
 * by. Items of paused runs, and what an order to stop holds, stay where they are. Fewer than asked, or none, is no
 * mistake. As {@link findPeer} otherwise.
 */
export async function claimBoardItems(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  input: unknown,
): Promise<BoardItemRow[]> {
  const { agentId, capabilities, most, leaseSeconds: seconds } = parseInput(inputSchema, input)
  const claimed = await database.transact(actor, async (client) => {
    const peer = await findPeer(client, actor, agentId ?? null, capabilities ?? null)
    const rows = await claim(client, actor, peer, most ?? 1, seconds)
    await recordEvents(
      client,
      actor,
      rows.flatMap(({ lapsed, ...item }) => {
        const { subject, data } = aboutItem(item)
        const { fence } = item
        return [
          ...(lapsed
            ? [
                {
                  type: 'board.released' as const,
                  subject,
                  data: { ...data, fence: fence - 1, cause: 'lease' as const },
                },
              ]
            : []),
          { type: 'board.claimed' as const, subject, data: { ...data, agentId: peer.agentId, fence } },
        ]
      }),
    )
    return rows.map(({ lapsed: _, ...item }) => item)
  })
  if (claimed.length > 0) database.announce()
  return claimed
}

async function claim(
  client: pg.PoolClient,
  actor: Actor,
  { agentId, capabilities }: Peer,
  most: number,
  seconds: number,
): Promise<(BoardItemRow & { lapsed: boolean })[]> {
  const { rows } = await client.query<BoardItemRow & { lapsed: boolean }>(
    `with chosen as materialized (
       select i.organization_id, i.id, i.status = 'claimed' as lapsed from board_item i
       where i.organization_id = $1 and i.capability = any($2::text[]) and i.for_agent_id is null
         and i.status in ('open', 'claimed') and ${IS_OPEN}
         and not tutti_contained($1, i.workflow_id, $3, i.run_id)
         and not exists (select from run r where r.organization_id = $1 and r.id = i.run_id and r.status = 'paused')
       order by i.id limit $4 for no key update of i skip locked
     ), taken as (
       update board_item i set status = 'claimed', fence = i.fence + 1, claimed_by = $5, agent_id = $3,
         lease_until = clock_timestamp() + $6 * interval '1 second'
       from chosen c where i.organization_id = c.organization_id and i.id = c.id returning i.*, c.lapsed
     )
     select ${ITEM_COLUMNS}, i.lapsed from taken i order by i.id`,
    [actor.organizationId, capabilities, agentId, most, JSON.stringify(actorRecord(actor)), seconds],
  )
  return rows
}
