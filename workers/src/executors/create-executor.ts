import { type AgentExecutor, agentExecutor, breakersOf } from '@tutti/agents/domain'
import { AskedFirst } from '../governance/asked-first.ts'
import { passGoverned } from '../governance/pass-governed.ts'
import { inSpan } from '@tutti/runtime'
import { TuttiError } from '@tutti/schema'
import {
  type AttemptOutcome,
  type ClaimedTask,
  type ExecuteTask,
  type Governed,
  idempotencyKey,
  readLastReport,
  type TaskOutcome,
} from '@tutti/workflows/domain'
import { builtinFunctions } from '../agents/builtin-functions.ts'
import { PutBack } from '../budgets/breach.ts'
import { requireRoom } from '../budgets/require-room.ts'
import { attemptSecrets, CredentialProblem } from '../credentials/attempt-secrets.ts'
import { openCredentials } from '../credentials/open-credentials.ts'
import { createRedactor, type Redactor } from '../credentials/redactor.ts'
import type { TaskLogCollector } from '../logs/task-log-collector.ts'
import { probe } from '../health/probes.ts'
import { guardAttempt } from '../recovery/guard-attempt.ts'
import { agentActor, type WorkerServices } from '../worker-services.ts'
import { type Executor, failed } from './executor.ts'
import { executeMessage } from './execute-message.ts'
import { executeOverHttp } from './execute-over-http.ts'
import { executeByConnector } from './execute-by-connector.ts'
import { executeOverA2a } from './a2a/execute-over-a2a.ts'
import { executeOverMcp } from './mcp/execute-over-mcp.ts'
import { executeByPerson } from './execute-by-person.ts'
import { executeOutside } from './execute-outside.ts'
import { executeModel } from './model/execute-model.ts'
import type { Egress } from './open-egress.ts'
import { openVoice } from './open-voice.ts'
import { redactOutcome, redactVoice, withoutSecrets } from './redact-outcome.ts'

const KNOWN_AGENTS = 2_000
/** An agent that was changed or retired is noticed this soon. */
const TRUST_MS = 1_000

/** What says what it cost when it is over; others' costs are known call by call, or there are none. */
const REPORTS_COSTS: ReadonlySet<string> = new Set(['http', 'mcp', 'a2a', 'external', 'connector'])

interface KnownAgent {
  agent: Promise<AgentExecutor>
  until: number
}

/** How this process does tasks: by the executor that the task's agent was registered with. */
export function createExecutor(
  services: WorkerServices,
  egress: Egress,
  logs: Pick<TaskLogCollector, 'append'>,
): ExecuteTask {
  const known = new Map<string, KnownAgent>()
  const credentials = openCredentials(services)
  const guard = {
    ...services,
    breakers: breakersOf(services.database),
    probe: (organizationId: string, agent: AgentExecutor) =>
      probe({ ...services, egress }, organizationId, agent),
  }

  async function read(task: ClaimedTask, id: string, before: KnownAgent | undefined): Promise<AgentExecutor> {
    const earlier = await before?.agent.catch(() => undefined)
    return agentExecutor(services, agentActor(task), id, earlier)
  }

  function agentOf(task: ClaimedTask, id: string): Promise<AgentExecutor> {
    const before = known.get(id)
    if (before && before.until > performance.now()) return before.agent
    if (known.size > KNOWN_AGENTS) known.clear()
    const agent = read(task, id, before)
    known.set(id, { agent, until: performance.now() + TRUST_MS })
    agent.catch(() => known.delete(id))
    return agent
  }

  async function attempt(task: ClaimedTask, signal: AbortSignal, beat: () => void): Promise<AttemptOutcome> {
    if (task.agentId === null) {
      return failed('AGENT_NOT_FOUND', `No agent named "${task.agentName}" is registered.`)
    }
    const redactor = createRedactor()
    try {
      const agent = await agentOf(task, task.agentId)
      task.agentVersion = agent.version
      const executor = task.kind === 'message' ? executeMessage : executorOf(agent)
      if (!executor) return unusable(agent)
      const key = idempotencyKey(task.organizationId, task.runId, task.stepPath, task.generation)
      const actor = agentActor(task)
      const lastReport = await lastReportOf(services, task)
      await using voice = openVoice(services, actor, task, { logs, beat })
      const secrets = attemptSecrets(credentials, redactor, task.organizationId, agent)
      const asked = {
        services,
        task,
        agent,
        actor,
        idempotencyKey: key,
        toolCalls: new Map<string, number>(),
        egress,
        signal,
        lastReport,
        secrets,
      }
      const governs = governing(task, agent)
      const passage = governs && (await passGoverned(asked, governs))
      if (passage && 'outcome' in passage) return passage.outcome
      const call = passage ? { ...asked, task: { ...task, governs, input: passage.input } } : asked
      if (task.kind === 'agent' && REPORTS_COSTS.has(agent.executor.type)) await requireRoom(call)
      return await guardAttempt(guard, { task, agent, signal }, async () => {
        try {
          return redactOutcome(await executor({ ...call, ...redactVoice(voice, redactor) }), redactor)
        } catch (error) {
          return thrown(error, task, redactor)
        }
      })
    } catch (error) {
      return thrown(error, task, redactor)
    }
  }

  /** What an executor threw, as a failure, if it is one that has a code. */
  function thrown(error: unknown, task: ClaimedTask, redactor: Redactor): AttemptOutcome {
    if (error instanceof PutBack) return { type: 'put_back' }
    if (error instanceof AskedFirst) return { type: 'waiting', approvalId: error.approvalId }
    if (error instanceof CredentialProblem) {
      if (error.cause) services.log.error({ err: error.cause, taskId: task.id }, error.message)
      return failed(error.code, error.message)
    }
    if (error instanceof TuttiError)
      return failed(error.code, redactor.text(error.message), { retryable: error.retryable })
    throw withoutSecrets(error, redactor)
  }

  return (task, signal, beat = () => undefined) => {
    const attributes = {
      'tutti.run': task.runId,
      'tutti.task': task.id,
      'tutti.step': task.stepPath,
      'tutti.attempt': task.attempt,
    }
    return inSpan(`task ${task.workflowName}`, { kind: 'consumer', attributes }, () =>
      attempt(task, signal, beat),
    )
  }
}

/**
 * What authority and policies are asked about: what the step says it does, else what its agent says. An agent that plans writes the
 * step itself: there what the agent says who does it comes first.
 */
function governing({ kind, governs, isPlanned }: ClaimedTask, agent: AgentExecutor): Governed | undefined {
  if (kind === 'message') return undefined
  return (isPlanned ? (agent.governs ?? governs) : (governs ?? agent.governs)) ?? undefined
}

/** Only who begins again has anything to go on from. */
async function lastReportOf(services: WorkerServices, task: ClaimedTask) {
  const last = task.attempt > 1 || task.recovered ? await readLastReport(services.database, task) : null
  return last?.isReport ? { percent: last.percent, message: last.message, data: last.data } : null
}

function executorOf({ executor }: AgentExecutor): Executor | undefined {
  switch (executor.type) {
    case 'builtin':
      return builtinFunctions[executor.function ?? '']
    case 'http':
      return executeOverHttp
    case 'mcp':
      return executeOverMcp
    case 'a2a':
      return executeOverA2a
    case 'model':
      return executeModel
    case 'person':
      return executeByPerson
    case 'external':
      return executeOutside
    case 'connector':
      return executeByConnector
    case 'unbound':
      return undefined
  }
}

function unusable({ name, executor }: AgentExecutor): TaskOutcome {
  return executor.type === 'builtin'
    ? failed(
        'FUNCTION_UNKNOWN',
        `Agent "${name}" names the built-in function "${executor.function}", which there is not.`,
      )
    : failed('AGENT_UNBOUND', `Agent "${name}" was registered without an executor.`)
}
