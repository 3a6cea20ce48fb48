import type pg from 'pg'
import { releaseQueuedRuns } from './release-queued-runs.ts'

/**
 * Makes runs wait for their turn that would begin although a limit on runs concerns them, and lets begin whose turn it
 * is. Given are main strands that are ready and have not begun; answers with those that were lined up. Within the
 * caller's transaction. Strands that somebody else has locked are left as they are.
 */
export async function lineUpRuns(
  client: Pick<pg.ClientBase, 'query'>,
  strands: readonly string[],
): Promise<Set<string>> {
  if (strands.length === 0) return new Set()
  const { rows } = await client.query<{ id: string; organization_id: string }>({
    name: 'limit-line-up',
    text: `update strand s set status = 'held', due_at = null, wait_key = x.line
      from (
        select s.id, case r.depth when 0 then 'slot' else 'slot:sub' end as line from unnest($1::uuid[]) as x(id) join strand s on s.id = x.id
        join run r on r.id = s.run_id and r.organization_id is not distinct from s.organization_id
        where s.status = 'ready' and s.parent_id is null and s.task_id is null
          and s.wait_key is distinct from 'slot:taken' and exists (
            select from engine_limit l where l.organization_id = s.organization_id and l.counts = 'runs'
              and ((l.scope = 'workflow' and l.subject = s.workflow_id::text)
                or (l.scope = 'organization' and r.depth = 0)))
        order by s.id for no key update of s skip locked
      ) x where s.id = x.id returning s.id, s.organization_id`,
    values: [strands],
  })
  const organizations = new Set(rows.map((row) => row.organization_id))
  for (const organizationId of [...organizations].sort()) await releaseQueuedRuns(client, organizationId)
  return new Set(rows.map(({ id }) => id))
}
