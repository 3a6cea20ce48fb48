import { isId, parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import type { Services } from '../context.ts'
import { type BoardItemRow, ITEM_COLUMNS } from './board-item.ts'
import { leaseSeconds } from './lease.ts'

const MOST = 100

const inputSchema = z.object({
  claims: z.array(z.object({ id: z.string(), fence: z.int() })).max(MOST, `At most ${MOST}.`),
  leaseSeconds,
})

/** The leases of one's own claims begin anew; those that are over, or another's by now, are in `lost`. */
export async function renewBoardItems(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  input: unknown,
): Promise<{ items: BoardItemRow[]; lost: string[] }> {
  const { claims, leaseSeconds: seconds } = parseInput(inputSchema, input)
  const known = claims.filter(({ id }) => isId(id))
  const items = await database.transact(actor, async (client) => {
    // Two statements: one that locks rows and writes them as well deadlocks among three.
    const { rows: mine } = await client.query<{ id: string }>(
      `select i.id from unnest($2::uuid[], $3::int[]) as x(id, fence)
       join board_item i on i.organization_id = $1 and i.id = x.id and i.fence = x.fence
       where i.status = 'claimed' and i.lease_until > clock_timestamp() and i.claimed_by->>'id' = $4
       order by i.id for no key update of i`,
      [actor.organizationId, known.map(({ id }) => id), known.map(({ fence }) => fence), actor.id],
    )
    if (mine.length === 0) return []
    const { rows } = await client.query<BoardItemRow>(
      `with i as (
         update board_item set lease_until = clock_timestamp() + $3 * interval '1 second'
         where organization_id = $1 and id = any($2::uuid[]) returning *)
       select ${ITEM_COLUMNS} from i order by i.id`,
      [actor.organizationId, mine.map(({ id }) => id), seconds],
    )
    return rows
  })
  const kept = new Set(items.map(({ id }) => id))
  return { items, lost: claims.flatMap(({ id }) => (kept.has(id.toLowerCase()) ? [] : [id])) }
}
