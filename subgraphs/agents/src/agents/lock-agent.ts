import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { AGENT_COLUMNS, type AgentRow } from './agent-row.ts'

/** An agent, locked until the transaction ends. NOT_FOUND with the path given. */
export async function lockAgent(
  tx: Pick<TenantTransaction, 'sql' | 'actor'>,
  id: string,
  path = 'input.agentId',
): Promise<AgentRow> {
  if (!isId(id)) fail('NOT_FOUND', { path })
  const [agent] = await tx.sql<AgentRow>(
    `select ${AGENT_COLUMNS} from agent where organization_id = $1::uuid and id = $2::uuid for update`,
    tx.actor.organizationId,
    id,
  )
  return agent ?? fail('NOT_FOUND', { path })
}
