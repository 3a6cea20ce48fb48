import { passGate } from '@tutti/governance/domain'
import { CLASSIFICATIONS, RISKS } from '@tutti/schema'
import type { Given, Governed, TaskOutcome } from '@tutti/workflows/domain'
import { type TaskCall, failed } from '../executors/executor.ts'
import { agentKey } from '../executors/agent-key.ts'
import { forStarter } from '../executors/for-starter.ts'
import { DECISION, readDecision } from '../executors/read-decision.ts'
import { OBSTACLES } from './obstacles.ts'

/**
 * Lets a governed step's task through, with the input that it may be done with, or says what its attempt came to: people are
 * asked, or it may not be done.
 */
export async function passGoverned(
  {
    services,
    task,
    agent,
    actor,
    idempotencyKey,
  }: Pick<TaskCall, 'services' | 'task' | 'agent' | 'actor' | 'idempotencyKey'>,
  governs: Governed,
): Promise<{ input: Record<string, unknown> } | { outcome: TaskOutcome }> {
  const { [DECISION]: _, ...given } = task.input
  const { action, deadline, argumentsSchema } = governs
  const passage = await passGate(services, await forStarter({ services, task, actor }), {
    key: agentKey(idempotencyKey, agent),
    title: `${agent.name}: ${action}`,
    place: `Step "${task.stepPath}" of workflow "${task.workflowName}"`,
    runId: task.runId,
    taskId: task.id,
    deadline: deadline && { seconds: Math.ceil(deadline.ms / 1_000), rule: deadline.rule },
    argumentsSchema,
    action,
    arguments: given,
    questionOf: (approved) => ({
      resource: {
        type: 'workflow',
        id: task.workflowId,
        name: task.workflowName,
        domain: agent.domainId,
        team: agent.teamId,
      },
      context: stakesOf(governs, approved),
    }),
  })
  switch (passage.type) {
    case 'passed': {
      // Another question's answer, as of an agent that is a person, is the executor's.
      const decision = readDecision(task, agent)
      const isExecutors = decision !== undefined && decision.approvalId !== passage.approvalId
      return { input: { ...passage.arguments, ...(isExecutors ? { [DECISION]: decision } : {}) } }
    }
    case 'waiting':
      return { outcome: passage }
    case 'stopped':
      return { outcome: failed(OBSTACLES[passage.why], passage.reason) }
  }
}

/** What the step says of its stakes; what is not in its input, or is no such thing, is not known. */
function stakesOf({ amount, risk, classification }: Governed, input: Readonly<Record<string, unknown>>) {
  const sum = amount && found(amount, input)
  return {
    amount: typeof sum === 'number' && Number.isFinite(sum) && sum >= 0 ? sum : null,
    risk: RISKS.find((each) => risk && each === found(risk, input)) ?? null,
    classification:
      CLASSIFICATIONS.find((each) => classification && each === found(classification, input)) ?? null,
  }
}

const found = (given: Given<unknown>, input: Readonly<Record<string, unknown>>): unknown =>
  'value' in given
    ? given.value
    : given.path.reduce<unknown>(
        (value, key) =>
          typeof value === 'object' && value !== null && Object.hasOwn(value, key)
            ? Reflect.get(value, key)
            : undefined,
        input,
      )
