import { isRecord, TuttiError } from '@tutti/schema'
import type { ToolAnswer, ToolCall } from '../../builtins/model/index.ts'
import { passTool } from '../../governance/pass-tool.ts'
import type { TaskCall } from '../executor.ts'
import { type PlatformTool, platformTools } from './platform-tools.ts'

const MOST_NAME_LETTERS = 100

/** The tools of an agent's list. */
export const toolsOf = (names: readonly string[]): PlatformTool[] =>
  names.flatMap((name) => platformTools[name] ?? [])

/**
 * Answers what a model asks of a tool. One that is not on the agent's list is refused, whether or not there is such a tool:
 * with an event, a line in the task's log, and an error as its answer. Input that does not fit, and a tool's refusal, are
 * errors for the model too. Authority and policies are asked before
 * each call; what people have to allow first ends the attempt, which begins anew when they did.
 */
export async function answerToolCall(
  call: Pick<
    TaskCall,
    'services' | 'task' | 'agent' | 'actor' | 'idempotencyKey' | 'toolCalls' | 'secrets' | 'log'
  >,
  allowed: readonly PlatformTool[],
  { id, name, input }: ToolCall,
): Promise<ToolAnswer> {
  const answer = (output: unknown, isError: boolean): ToolAnswer => ({ id, name, output, isError })
  const tool = allowed.find((each) => each.name === name)
  if (!tool) {
    await refuse(call, name)
    const known =
      allowed.length === 0 ? 'There are none.' : `There are: ${allowed.map((each) => each.name).join(', ')}.`
    return answer(`You may not call a tool of this name. ${known}`, true)
  }
  try {
    const passage = await passTool(call, name, isRecord(input) ? input : { input })
    if (!passage.ok) return answer(`You may not call it so: ${passage.reason}`, true)
    const outcome = await tool.run(call, isRecord(input) ? passage.arguments : input)
    return outcome.ok ? answer(outcome.output, false) : answer(outcome.problem, true)
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error
    return answer(`${error.code}: ${error.message}`, true)
  }
}

async function refuse(
  { services, task, agent, actor, secrets, log }: Parameters<typeof answerToolCall>[0],
  name: string,
): Promise<void> {
  // A name is whatever the model's server says: neither its length nor its letters are sure.
  const tool = secrets
    .cut(name)
    .replaceAll(/\p{Cc}/gu, ' ')
    .slice(0, MOST_NAME_LETTERS)
  log('warn', `The model asked for the tool "${tool}", which is not on the agent's list.`)
  const data = { agentId: agent.id, runId: task.runId, taskId: task.id, tool }
  await services.database.inTenant(actor, (tx) =>
    tx.appendEvent({ type: 'agent.tool_refused', subject: `task/${task.id}`, data }),
  )
}
