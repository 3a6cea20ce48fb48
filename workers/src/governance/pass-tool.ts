import { createHash } from 'node:crypto'
import { authorize, passGate } from '@tutti/governance/domain'
import { canonicalJson } from '@tutti/schema'
import type { TaskCall } from '../executors/executor.ts'
import { agentKey } from '../executors/agent-key.ts'
import { forStarter } from '../executors/for-starter.ts'
import { AskedFirst } from './asked-first.ts'
import { OBSTACLES } from './obstacles.ts'

/** The arguments that a tool may be called with; or why it may not, with the code of the attempt's failure. */
type ToolPassage =
  | { ok: true; arguments: Record<string, unknown> }
  | { ok: false; code: string; reason: string }

/**
 * Asks authority and policies before an agent calls a tool (`tool.call`, the resource is the tool). Where people have to
 * say yes first it throws {@link AskedFirst}: the attempt is made again when they did, and that very call goes
 * through: the same once more is another call, and asks for itself.
 */
export async function passTool(
  {
    services,
    task,
    agent,
    actor,
    idempotencyKey,
    toolCalls,
  }: Pick<TaskCall, 'services' | 'task' | 'agent' | 'actor' | 'idempotencyKey' | 'toolCalls'>,
  name: string,
  given: Record<string, unknown>,
): Promise<ToolPassage> {
  const action = 'tool.call'
  const about = {
    resource: {
      type: 'tool',
      name,
      domain: agent.domainId,
      team: agent.teamId,
      attributes: { agent: agent.name, workflow: task.workflowName },
    },
  }
  const { ruling, redactions, inform } = await authorize(services, actor, {
    ...about,
    action,
    arguments: given,
  })
  if (ruling === 'allow' && redactions.length === 0 && inform === null) return { ok: true, arguments: given }
  const call = createHash('sha256').update(canonicalJson({ name, given })).digest('hex')
  const times = (toolCalls.get(call) ?? 0) + 1
  toolCalls.set(call, times)
  const passage = await passGate(services, await forStarter({ services, task, actor }), {
    key: `${agentKey(idempotencyKey, agent)}/tool/${call}/${times}`,
    title: `${agent.name}: tool ${name}`,
    place: `Step "${task.stepPath}" of workflow "${task.workflowName}"`,
    runId: task.runId,
    taskId: task.id,
    action,
    arguments: given,
    questionOf: () => about,
  })
  if (passage.type === 'waiting') throw new AskedFirst(passage.approvalId)
  if (passage.type === 'passed') return { ok: true, arguments: passage.arguments }
  return { ok: false, code: OBSTACLES[passage.why], reason: passage.reason }
}
