import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import type { WorkflowDefinition, WorkflowNode } from '../../definitions/index.ts'
import { findTargets } from '../find-targets.ts'

/** Whether a review is among these steps, or in the workflows that they wait for, at whatever depth. */
export async function holdsReview(
  client: pg.PoolClient,
  actor: Actor,
  steps: readonly WorkflowNode[],
): Promise<boolean> {
  const known = new Set<string>()
  for (let nodes = steps; nodes.length > 0; nodes = await calledBy(client, actor, nodes, known))
    if (nodes.some(({ kind }) => kind === 'review')) return true
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
