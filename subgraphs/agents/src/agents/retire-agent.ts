import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { AGENT_COLUMNS, type AgentRow } from './agent-row.ts'

/** Takes an agent out of service; one that is retired already stays so. NOT_FOUND when there is none. */
export async function retireAgent(
  { database }: { database: Database },
  actor: Actor,
  { id }: { id: string },
): Promise<AgentRow> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    const [retired] = await tx.sql<AgentRow>(
      `update agent set status = 'retired', retired_at = now(), updated_at = now()
       where organization_id = $1::uuid and id = $2::uuid and status = 'active' returning ${AGENT_COLUMNS}`,
      actor.organizationId,
      id,
    )
    if (retired) {
      const data = { agentId: retired.id, name: retired.name }
      await tx.appendEvent({ type: 'agent.retired', subject: `agent/${retired.id}`, data })
      return retired
    }
    const [already] = await tx.sql<AgentRow>(
      `select ${AGENT_COLUMNS} from agent where organization_id = $1::uuid and id = $2::uuid`,
      actor.organizationId,
      id,
    )
    return already ?? fail('NOT_FOUND', { path: 'input.id' })
  })
}
