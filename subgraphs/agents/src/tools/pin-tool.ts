import { actorRecord, type Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { type OfferedTool, toolHash } from './tool-hash.ts'

/** Whether a tool may be called: `changed` is no. */
export type PinState = 'pinned' | 'changed'

/**
 * Holds what a server says of a tool against what is pinned for the agent. The first time it is pinned as it is; what
 * differs later is kept as pending and may not be called until `approveTool`. Events: tool.pinned, tool.changed (once
 * a hash). The description must be text that PostgreSQL can keep.
 */
export async function pinTool(
  { database }: { database: Database },
  actor: Actor,
  agentId: string,
  tool: OfferedTool,
): Promise<PinState> {
  const hash = toolHash(tool)
  const { organizationId } = actor
  const key = [organizationId, agentId, tool.name]
  const [pinned] = await database.readTenant<{ hash: string; pendingHash: string | null }>(
    actor,
    `select hash, pending_hash as "pendingHash" from agent_tool_pin
     where organization_id = $1::uuid and agent_id = $2::uuid and tool = $3`,
    key,
  )
  if (pinned?.hash === hash) return 'pinned'
  if (pinned?.pendingHash === hash) return 'changed'
  return database.inTenant(actor, async (tx) => {
    const [row] = await tx.sql<{ hash: string; isNew: boolean }>(
      `insert into agent_tool_pin (organization_id, agent_id, tool, hash, description, pinned_by)
       values ($1::uuid, $2::uuid, $3, $4, $5, $6::jsonb)
       on conflict (organization_id, agent_id, tool) do update set
         pending_hash = $4, pending_description = $5, pending_at = now()
       where agent_tool_pin.hash <> $4 and agent_tool_pin.pending_hash is distinct from $4
       returning hash, pending_hash is null as "isNew"`,
      ...key,
      hash,
      tool.description,
      JSON.stringify(actorRecord(actor)),
    )
    const subject = `agent/${agentId}`
    const data = { agentId, tool: tool.name, hash }
    if (row?.isNew) {
      await tx.appendEvent({ type: 'tool.pinned', subject, data })
      return 'pinned'
    }
    if (row) {
      await tx.appendEvent({ type: 'tool.changed', subject, data: { ...data, pinnedHash: row.hash } })
      return 'changed'
    }
    // Another attempt was faster with the same.
    const [now] = await tx.sql<{ hash: string }>(
      `select hash from agent_tool_pin where organization_id = $1::uuid and agent_id = $2::uuid and tool = $3`,
      ...key,
    )
    return now?.hash === hash ? 'pinned' : 'changed'
  })
}
