import { requestApproval } from '@tutti/governance/domain'
import { readDecision } from './read-decision.ts'
import { type Executor, failed, succeeded } from './executor.ts'
import { agentKey } from './agent-key.ts'
import { forStarter } from './for-starter.ts'

/** A person does the task: asked by an approval, whose decision (and final arguments) is the task's output. */
export const executeByPerson: Executor = async (call) => {
  const { services, task, agent, idempotencyKey } = call
  const decision = readDecision(task, agent)
  if (decision) {
    if (decision.decision === 'expired') return failed('NOBODY_DECIDED', 'Nobody did the task in time.')
    return succeeded(decision)
  }
  const approval = await requestApproval(services, await forStarter(call), {
    requestKey: `task/${agentKey(idempotencyKey, agent)}`,
    title: `${agent.name}: ${task.stepPath}`,
    action: task.stepPath,
    arguments: task.input,
    reason: `Step "${task.stepPath}" of workflow "${task.workflowName}" is a person's.`,
    runId: task.runId,
    taskId: task.id,
  })
  return { type: 'waiting', approvalId: approval.id }
}
