import { placeOfAgent } from '@tutti/agents/domain'
import { openEscalation } from '@tutti/governance/domain'
import { z } from 'zod'
import { agentKey } from '../executors/agent-key.ts'
import { type Executor, succeeded, type TaskCall } from '../executors/executor.ts'
import { forStarter } from '../executors/for-starter.ts'
import { type Decision, readDecision } from '../executors/read-decision.ts'
import { sendToCustomer } from './send-reply.ts'
import { customerMessage, draftResponse, qualityAssessment } from './step-input.ts'

const EXCERPT = 2_000
const replyArguments = z.looseObject({ text: z.string().min(1) })

/**
 * Step 7b: asks a person. Opens an escalation with an approval of exactly the draft; the task waits. A yes sends the
 * text that was approved (the decider may have changed it), a no sends nothing.
 */
export const escalate: Executor = async (call) => {
  const decision = readDecision(call.task, call.agent)
  return decision ? afterDecision(call, decision) : ask(call)
}

async function ask(call: TaskCall) {
  const { services, task, agent, actor, idempotencyKey } = call
  const message = customerMessage.parse(task.input['customer_message'])
  const draft = draftResponse.safeParse(task.input['draft_response'])
  const quality = qualityAssessment.safeParse(task.input['quality_assessment'])
  const reason = reasonOf(draft.success, quality.data)
  const escalation = await openEscalation(services, await forStarter(call), {
    requestKey: `task/${agentKey(idempotencyKey, agent)}`,
    title: titleOf(message),
    reason,
    level: 'person',
    context: {
      customer_message: message.slice(0, EXCERPT),
      quality: quality.success ? { confidence: quality.data.confidence, flags: quality.data.flags } : null,
      recommendations: quality.success ? quality.data.recommendations : [],
    },
    runId: task.runId,
    taskId: task.id,
    agentId: task.agentId,
    ...(await placeOfAgent(services, actor, task.agentId)),
    approval: {
      title: `Send this reply? ${titleOf(message)}`.slice(0, 200),
      action: 'send_reply',
      arguments: { text: draft.success ? draft.data.text : '', customer_message: message.slice(0, EXCERPT) },
      reason,
    },
  })
  if (!escalation.approvalId) throw new Error('An escalation was opened without its approval.')
  return { type: 'waiting', approvalId: escalation.approvalId } as const
}

async function afterDecision(call: TaskCall, decision: Decision) {
  const reply = replyArguments.safeParse(decision.arguments)
  const sends = decision.decision === 'approved' && reply.success
  const ticket = {
    approval_id: decision.approvalId,
    decision: decision.decision,
    decided_by: decision.decidedBy,
    comment: decision.comment,
    sent: sends ? await sendToCustomer(call, reply.data.text) : null,
  }
  return succeeded(ticket)
}

function titleOf(message: string): string {
  const line = message.replaceAll('\0', ' ').replace(/\s+/g, ' ').trim()
  if (line === '') return 'An empty message'
  return line.length <= 120 ? line : `${line.slice(0, 119)}…`
}

function reasonOf(drafted: boolean, quality: z.infer<typeof qualityAssessment> | undefined): string {
  if (!drafted) return 'No reply could be drafted.'
  if (!quality) return 'The reply could not be checked.'
  const noticed = quality.flags.length > 0 ? ` Noticed: ${quality.flags.join(', ')}.` : ''
  return `The reply's confidence is ${quality.confidence.toFixed(2)}, too low to send it unseen.${noticed}`
}
