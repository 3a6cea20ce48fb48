import type pg from 'pg'
import type { CoreEvent } from '../../engine/core/index.ts'
import type { LockedRun } from './lock-runs.ts'

/** Tells the strands that wait for these sub-runs that they have ended; one that waits for something else is left alone. */
export async function wakeParents(
  client: pg.PoolClient,
  organizationId: string,
  runs: readonly Pick<LockedRun, 'parentStrandId' | 'parentTaskId'>[],
  resume: CoreEvent & { type: 'child_run_ended' },
): Promise<void> {
  const children = runs.filter(({ parentStrandId }) => parentStrandId !== null)
  if (children.length === 0) return
  await client.query(
    `update strand s set status = 'ready', due_at = clock_timestamp(), fence = s.fence + 1, wait_key = null,
       resume = $4::jsonb || jsonb_build_object('node', t.node_id)
     from (select * from unnest($2::uuid[], $3::uuid[]) as x(strand, task)
       join strand p on p.organization_id = $1 and p.id = x.strand and p.task_id = x.task and p.status = 'waiting'
       order by p.id for no key update of p) x
     join task t on t.organization_id = $1 and t.id = x.task
     where s.organization_id = $1 and s.id = x.strand`,
    [
      organizationId,
      children.map(({ parentStrandId }) => parentStrandId),
      children.map(({ parentTaskId }) => parentTaskId),
      JSON.stringify(resume),
    ],
  )
}
