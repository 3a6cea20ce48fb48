import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { isRunPaused } from '../../engine/core/index.ts'
import { type OpenTask, PLACE } from './control-task.ts'

/** Takes a task from the worker that has it: its answer is refused, and the task is ready for a next attempt. */
export async function restartTask(client: pg.PoolClient, actor: Actor, task: OpenTask): Promise<void> {
  const o = actor.organizationId
  await client.query(
    `update strand s set status = $3, due_at = case when $3 = 'ready' then ${PLACE} end, fence = s.fence + 1,
       claim_id = null, recoveries = 0,
       wait_key = null, resume = case when s.status = 'waiting' then null else s.resume end
     from run r where r.organization_id = $1 and r.id = s.run_id and s.organization_id = $1 and s.id = $2`,
    [o, task.strand.id, isRunPaused(task.run.status) ? 'held' : 'ready'],
  )
  await client.query(
    `update task set status = 'ready' where organization_id = $1 and id = $2 and status in ('running', 'waiting')`,
    [o, task.id],
  )
}
