/** A tool as it was approved for an agent, and what its server says since. */
export interface ToolPin {
  agentId: string
  tool: string
  /** sha256, as hex, over its name, description and input schema. */
  hash: string
  description: string | null
  pinnedAt: Date
  pinnedBy: { id: string; kind: string; name: string }
  /** Null while its server says what is pinned. */
  pendingHash: string | null
  pendingDescription: string | null
  pendingAt: Date | null
}

/** The columns of {@link ToolPin}. */
export const TOOL_PIN_COLUMNS = `agent_id as "agentId", tool, hash, description, pinned_at as "pinnedAt",
  pinned_by as "pinnedBy", pending_hash as "pendingHash", pending_description as "pendingDescription",
  pending_at as "pendingAt"`
