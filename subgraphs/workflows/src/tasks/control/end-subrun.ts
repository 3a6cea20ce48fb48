import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { isRunCancellable } from '../../engine/core/index.ts'
import { cancelRuns } from '../../runs/control/cancel-runs.ts'
import { lockRuns } from '../../runs/control/lock-runs.ts'
import type { LockedTask } from './lock-task.ts'

/**
 * Ends the sub-run or plan that a locked task waited for, when its result came by hand. The task's strand must be past waiting,
 * so that this end does not wake it. (Of a task that is skipped or cancelled, the core ends what is below.)
 */
export async function endSubrun(
  client: pg.PoolClient,
  actor: Actor,
  task: LockedTask,
  reason: string | null,
): Promise<void> {
  if (task.kind !== 'workflow' && task.kind !== 'agent') return
  const o = actor.organizationId
  const { rows } = await client.query<{ id: string }>(
    `select id from run where organization_id = $1 and parent_task_id = $2 and parent_strand_id is not null`,
    [o, task.id],
  )
  const subruns = await lockRuns(
    client,
    o,
    rows.map(({ id }) => id),
  )
  const open = subruns.filter(({ status }) => isRunCancellable(status))
  if (open.length > 0) await cancelRuns(client, actor, open, { reason, terminated: false })
}
