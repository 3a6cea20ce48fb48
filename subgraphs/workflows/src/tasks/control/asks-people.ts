import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import type { NodeId, WorkflowDefinition, WorkflowNode } from '../../definitions/index.ts'
import { holdsReview } from '../../runs/control/holds-review.ts'
import type { OpenTask } from './control-task.ts'

/** The version of a task's run, and those of the runs that it waits for, with theirs. */
const BELOW = `
with recursive below as (
  select $2::uuid as id, null::uuid as version_id
  union all
  select next.id, next.version_id from below b cross join lateral (
    select t.id, null::uuid as version_id from task t where t.organization_id = $1 and t.parent_id = b.id
    union all
    select t.id, r.version_id from run r join task t on t.organization_id = $1 and t.run_id = r.id
    where r.organization_id = $1 and r.parent_task_id = b.id and r.status not in ('completed', 'failed', 'cancelled')) next)
select v.definition, v.id = $3 as "isOwn" from workflow_version v
where v.organization_id = $1 and v.id in (select $3::uuid union select version_id from below)`

/**
 * Whether a review stands in a step's body, in what it planned or in a workflow that it waits for, at whatever
 * depth: whoever leaves it out, or answers in its place, would pass what people are to decide.
 */
export async function asksPeople(
  client: pg.PoolClient,
  actor: Actor,
  { id, nodeId, run }: Pick<OpenTask, 'id' | 'nodeId' | 'run'>,
): Promise<boolean> {
  const { rows } = await client.query<{ definition: WorkflowDefinition; isOwn: boolean }>(BELOW, [
    actor.organizationId,
    id,
    run.versionId,
  ])
  const nodes = rows.flatMap(({ definition, isOwn }) =>
    Object.values(definition.nodes).filter((node) => !isOwn || isWithin(definition, node, nodeId)),
  )
  return holdsReview(client, actor, nodes)
}

function isWithin({ nodes }: WorkflowDefinition, node: WorkflowNode, id: NodeId): boolean {
  for (
    let at: WorkflowNode | undefined = node;
    at;
    at = at.parent === undefined ? undefined : nodes[at.parent]
  )
    if (at.id === id) return true
  return false
}
