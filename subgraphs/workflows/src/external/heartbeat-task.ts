import { parseInput } from '@tutti/runtime'
import { type Actor, TuttiError } from '@tutti/schema'
import { z } from 'zod'
import { renewBoardItems } from '../board/renew-board-items.ts'
import type { Services } from '../context.ts'
import { leaseSeconds } from './lease-seconds.ts'
import { claimToken, itemOf } from './worker-claim.ts'

/** Why a worker is to stop. */
export type TaskStop = 'cancelled' | 'paused' | 'contained' | 'taken'

/** How a claim stands after a sign of life. */
export interface Heartbeat {
  /** Null: it is over. */
  leaseUntil: Date | null
  stop: TaskStop | null
}

interface Standing {
  task: string
  run: string
  contained: boolean
}

/**
 * A worker's claim begins anew. Says whether to stop: a lease that is over has no end any more, and its answers are
 * refused; of a paused run it goes on. BAD_INPUT with all mistakes.
 */
export async function heartbeatTask(
  { database, secret }: Pick<Services, 'database' | 'secret'>,
  actor: Actor,
  input: unknown,
): Promise<Heartbeat> {
  const schema = z.object({ token: claimToken(secret, actor), leaseSeconds })
  const { token, leaseSeconds: seconds } = parseInput(schema, input)
  const { taskId, fence } = token
  const [itemId, standing] = await database.transact(actor, async (client) => {
    const { rows } = await client.query<Standing>(
      `select t.status as task, r.status as run, tutti_contained($1, r.workflow_id, t.agent_id, r.id) as contained
       from task t join run r on r.organization_id = t.organization_id and r.id = t.run_id
       where t.organization_id = $1 and t.id = $2`,
      [actor.organizationId, taskId],
    )
    const id = await itemOf(client, token).catch((error: unknown) => {
      if (error instanceof TuttiError && error.code === 'STALE_LEASE') return null
      throw error
    })
    return [id, rows[0]]
  })
  const { items } = itemId
    ? await renewBoardItems({ database }, actor, {
        claims: [{ id: itemId, fence: Number(fence) }],
        leaseSeconds: seconds,
      })
    : { items: [] }
  const leaseUntil = items[0]?.leaseUntil ?? null
  return { leaseUntil, stop: stopOf(standing, leaseUntil !== null) }
}

function stopOf(standing: Standing | undefined, isHeld: boolean): TaskStop | null {
  if (standing?.contained) return 'contained'
  if (isHeld) return standing?.run === 'paused' ? 'paused' : null
  return standing?.task === 'cancelled' || standing?.run === 'cancelled' ? 'cancelled' : 'taken'
}
