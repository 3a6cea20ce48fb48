import type { Spender } from '@tutti/agents/domain'
import type { ClaimedTask } from '@tutti/workflows/domain'

/** Whose budgets a task's calls concern. */
export const spenderOf = ({ agentId, runId, workflowId, stepPath, nodeId }: ClaimedTask): Spender => ({
  agentId,
  runId,
  workflowId,
  stepPath,
  step: nodeId,
})
