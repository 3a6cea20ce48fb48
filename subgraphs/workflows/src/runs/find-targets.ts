import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type pg from 'pg'

/** What a run is started of. */
export interface RunTarget {
  workflowId: string
  name: string
  /** Null: no version is published. */
  versionId: string | null
  version: number | null
  /** Why it was ordered to stop, if an order on the workflow or on everything stands. */
  contained: string | null
  /** Whether any order to stop stands in the organization, so that a first step must pass a claim. */
  ordersStand: boolean
}

/** How a caller names what is to be started. */
export interface RunSelector {
  /** One of the two. */
  workflowId?: string | null
  workflowName?: string | null
  /** A version of its own; the published one unless given. */
  version?: number | null
}

/**
 * The versions that runs take. What was published is looked up every time by key, which costs a fifth of a millisecond
 * and never starts a version that was just withdrawn.
 */
export async function findTargets(
  client: pg.PoolClient,
  { organizationId }: Actor,
  requests: readonly RunSelector[],
): Promise<(request: RunSelector) => RunTarget | undefined> {
  const unique = new Map(requests.map((request) => [keyOf(request), request]))
  const wanted = [...unique.values()]
  const { rows } = await client.query<RunTarget & { key: string }>({
    name: 'engine-targets',
    text: `select x.key, w.id as "workflowId", w.name, v.id as "versionId", v.version,
        (select c.reason from containment c where c.organization_id = $1 and c.lifted_at is null
          and (c.scope = 'organization' or c.scope = 'workflow' and c.target_id = w.id) order by c.id limit 1) as contained,
        exists (select from containment c where c.organization_id = $1 and c.lifted_at is null) as "ordersStand"
      from unnest($2::text[], $3::uuid[], $4::text[], $5::int[]) as x(key, id, name, version)
      join workflow w on w.organization_id = $1 and (w.id = x.id or w.name = x.name)
      left join workflow_version v on v.organization_id = w.organization_id and v.workflow_id = w.id
        and v.version = coalesce(x.version, w.published_version) and v.version > 0`,
    values: [
      organizationId,
      wanted.map(keyOf),
      wanted.map(({ workflowId }) => (workflowId && isId(workflowId) ? workflowId : null)),
      wanted.map(({ workflowId, workflowName }) => (workflowId ? null : (workflowName ?? null))),
      wanted.map(({ version }) => version ?? null),
    ],
  })
  const found = new Map(rows.map((row) => [row.key, row]))
  return (request) => {
    const target = found.get(keyOf(request))
    // A version that was asked for by number and does not exist is as unknown as a workflow.
    return target && request.version != null && target.versionId === null ? undefined : target
  }
}

const keyOf = ({ workflowId, workflowName, version }: RunSelector): string =>
  JSON.stringify([workflowId ?? null, workflowId ? null : (workflowName ?? null), version ?? null])
