import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import type { NodeId, WorkflowDefinition, WorkflowNode } from '../../definitions/index.ts'
import { findTargets } from '../../runs/find-targets.ts'
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
  const known = new Set<string>()
  let nodes = rows.flatMap(({ definition, isOwn }) =>
    Object.values(definition.nodes).filter((node) => !isOwn || isWithin(definition, node, nodeId)),
  )
  while (nodes.length > 0) {
    if (nodes.some(({ kind }) => kind === 'review')) return true
    nodes = await calledBy(client, actor, nodes, known)
  }
  return false
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

/** The steps of the workflows that these wait for, of each version once. */
async function calledBy(
  client: pg.PoolClient,
  actor: Actor,
  nodes: readonly WorkflowNode[],
  known: Set<string>,
): Promise<WorkflowNode[]> {
  const called = nodes.flatMap((node) =>
    node.kind === 'workflow' && node.wait
      ? [{ workflowName: node.workflow, version: node.version ?? null }]
      : [],
  )
  if (called.length === 0) return []
  const find = await findTargets(client, actor, called)
  const ids = new Set(called.flatMap((each) => find(each)?.versionId ?? [])).difference(known)
  for (const id of ids) known.add(id)
  const { rows } = await client.query<{ definition: WorkflowDefinition }>(
    'select definition from workflow_version where organization_id = $1 and id = any($2::uuid[])',
    [actor.organizationId, [...ids]],
  )
  return rows.flatMap(({ definition }) => Object.values(definition.nodes))
}
