import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../../context.ts'
import { DEPLOYMENT_COLUMNS, type DeploymentRow } from './deployment-row.ts'

/** One page of deployments, newest first. */
export async function listDeployments(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  { agentId, ...page }: PageArguments & { agentId?: string | null | undefined },
): Promise<Connection<DeploymentRow>> {
  const { take, afterId } = readPage(page)
  if (agentId != null && !isId(agentId)) return connectionOf([], take)
  const rows = await database.readTenant<DeploymentRow>(
    actor,
    `select ${DEPLOYMENT_COLUMNS} from agent_deployment
     where organization_id = $1::uuid and ($2::uuid is null or id < $2) and ($3::uuid is null or agent_id = $3)
     order by id desc limit $4`,
    [actor.organizationId, afterId, agentId ?? null, take],
  )
  return connectionOf(rows, take)
}

/** Deployments by id, in one read. */
export async function loadDeployments(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, DeploymentRow>> {
  const rows = await database.readTenant<DeploymentRow>(
    actor,
    `select ${DEPLOYMENT_COLUMNS} from agent_deployment where organization_id = $1::uuid and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
