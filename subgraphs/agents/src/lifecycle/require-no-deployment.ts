import type { TenantTransaction } from '@tutti/prisma'
import { fail } from '@tutti/schema'

/** INVALID_STATE with the path while a deployment of an agent of this name is under way. */
export async function requireNoDeployment(
  tx: Pick<TenantTransaction, 'sql' | 'actor'>,
  name: string,
  path: string,
): Promise<void> {
  const [deployment] = await tx.sql(
    `select id from agent_deployment where organization_id = $1::uuid and agent_name = $2 and status in ('running', 'undoing')`,
    tx.actor.organizationId,
    name,
  )
  if (deployment) fail('INVALID_STATE', { path, message: 'A deployment of the agent is under way.' })
}
