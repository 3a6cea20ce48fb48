import { actorRecord, type Database } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { isStorable } from '../configuration/find-unsafe-values.ts'
import { TOOL_PIN_COLUMNS, type ToolPin } from './tool-pin.ts'

const inputSchema = z.object({
  agentId: z.string(),
  tool: z.string().min(1).max(200).refine(isStorable, 'That cannot be a name.'),
  hash: z.string().regex(/^[0-9a-f]{64}$/, '64 hex digits, as pendingHash says them.'),
})

/** Which tool of which agent, and the hash that was looked at. */
export type ApproveToolRequest = z.input<typeof inputSchema>

/**
 * Pins what a tool's server says now, so that the agent may call it again; what is pinned already stays so. Events:
 * tool.approved. NOT_FOUND when the agent never called such a tool, CONFLICT when it says something else by now.
 */
export async function approveTool(
  { database }: { database: Database },
  actor: Actor,
  request: ApproveToolRequest,
): Promise<ToolPin> {
  const { agentId, tool, hash } = parseInput(inputSchema, request)
  if (!isId(agentId)) fail('NOT_FOUND', { path: 'input.agentId' })
  return database.inTenant(actor, async (tx) => {
    const [pin] = await tx.sql<ToolPin>(
      `select ${TOOL_PIN_COLUMNS} from agent_tool_pin
       where organization_id = $1::uuid and agent_id = $2::uuid and tool = $3 for update`,
      actor.organizationId,
      agentId,
      tool,
    )
    if (!pin) fail('NOT_FOUND', { path: 'input.tool' })
    if (pin.hash === hash) return pin
    if (pin.pendingHash !== hash) {
      fail('CONFLICT', {
        path: 'input.hash',
        message: 'The tool does not have this hash.',
        hint: 'Read the agent’s toolPins again: pendingHash is what can be approved.',
      })
    }
    const [approved] = await tx.sql<ToolPin>(
      `update agent_tool_pin set hash = pending_hash, description = pending_description, pinned_at = now(),
         pinned_by = $4::jsonb, pending_hash = null, pending_description = null, pending_at = null
       where organization_id = $1::uuid and agent_id = $2::uuid and tool = $3 returning ${TOOL_PIN_COLUMNS}`,
      actor.organizationId,
      agentId,
      tool,
      JSON.stringify(actorRecord(actor)),
    )
    const data = { agentId, tool, hash, previous: pin.hash }
    await tx.appendEvent({ type: 'tool.approved', subject: `agent/${agentId}`, data })
    return approved ?? fail('INTERNAL')
  })
}
