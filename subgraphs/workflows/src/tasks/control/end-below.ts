import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { isRunCancellable } from '../../engine/core/index.ts'
import { cancelBelow } from '../../engine/store/children.ts'
import { actorRecord } from '@tutti/prisma'
import { cancelRuns } from '../../runs/control/cancel-runs.ts'
import { lockRuns } from '../../runs/control/lock-runs.ts'
import type { LockedTask } from './lock-task.ts'

/**
 * Ends what a locked task waits for, when it is not to wait any more: its branches or items with the sub-runs they wait
 * for, or its own sub-run. The task's strand must be past waiting, so that nothing wakes it for this.
 */
export async function endBelow(
  client: pg.PoolClient,
  actor: Actor,
  task: LockedTask,
  reason: string | null,
): Promise<void> {
  const o = actor.organizationId
  const { rows } = await client.query<{ id: string }>(
    `with recursive below(id) as (
       select $2::uuid union all
       select t.id from below b join task t on t.organization_id = $1 and t.parent_id = b.id
     )
     select r.id from below b join run r on r.organization_id = $1 and r.parent_task_id = b.id
     where r.parent_strand_id is not null`,
    [o, task.id],
  )
  const subruns = await lockRuns(
    client,
    o,
    rows.map(({ id }) => id),
  )
  if (task.kind === 'parallel' || task.kind === 'map')
    await cancelBelow(client, [task.id], actorRecord(actor))
  const open = subruns.filter(({ status }) => isRunCancellable(status))
  if (open.length > 0) await cancelRuns(client, actor, open, { reason, terminated: false })
}
