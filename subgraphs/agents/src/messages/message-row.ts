/** What an agent sent, as stored. */
export interface MessageRow {
  id: string
  agentId: string | null
  runId: string | null
  taskId: string | null
  channel: string
  recipient: string
  body: string
  createdAt: Date
}

/** The columns of {@link MessageRow}. */
export const MESSAGE_COLUMNS = `id, agent_id as "agentId", run_id as "runId", task_id as "taskId", channel, recipient, body,
  created_at as "createdAt"`
