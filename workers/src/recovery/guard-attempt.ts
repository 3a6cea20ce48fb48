import {
  type AgentExecutor,
  type Breakers,
  type BreakerSubject,
  type CheckResult,
  placeOfAgent,
} from '@tutti/agents/domain'
import { openEscalation } from '@tutti/governance/domain'
import {
  type AttemptOutcome,
  type ClaimedTask,
  failureKindOf,
  recover,
  saysBroken,
  type TaskOutcome,
} from '@tutti/workflows/domain'
import { failed } from '../executors/executor.ts'
import { workerActor, type WorkerServices } from '../worker-services.ts'

/** Executors that call somebody outside, who may be broken. */
const OUTSIDE: ReadonlySet<string> = new Set(['http', 'mcp', 'a2a', 'connector'])
/** Why an attempt's signal aborts that says something about the agent. */
const TIMEOUTS: ReadonlySet<string> = new Set(['STEP_TIMED_OUT', 'HEARTBEAT_TIMEOUT'])

/** What an attempt is guarded with. */
export interface GuardServices extends Pick<WorkerServices, 'database' | 'tail' | 'log'> {
  breakers: Breakers
  /** Looks whether an agent is there, before it is trusted with a trial; null: there is no telling. */
  probe(organizationId: string, agent: AgentExecutor): Promise<CheckResult>
}

/**
 * Makes an attempt unless the agent's breaker is open, tells the breaker how it went, and does about a failure what the
 * agent's recovery says: the fallback answer takes its place, or a person is told. To restart and to fail over is the
 * engine's part, with the next attempt. An agent that is built in, a person or a worker outside has no breaker.
 */
export async function guardAttempt(
  services: GuardServices,
  { task, agent, signal }: { task: ClaimedTask; agent: AgentExecutor; signal: AbortSignal },
  attempt: () => Promise<AttemptOutcome>,
): Promise<AttemptOutcome> {
  const outcome = OUTSIDE.has(agent.executor.type)
    ? await throughBreaker(services, { task, agent, signal }, attempt)
    : await attempt()
  return outcome.type === 'failed' && !signal.aborted ? afterFailure(services, task, agent, outcome) : outcome
}

async function throughBreaker(
  services: GuardServices,
  { task, agent, signal }: { task: ClaimedTask; agent: AgentExecutor; signal: AbortSignal },
  attempt: () => Promise<AttemptOutcome>,
): Promise<AttemptOutcome> {
  const { breakers } = services
  const { organizationId } = task
  const subject: BreakerSubject = {
    organizationId,
    scope: 'agent',
    subject: agent.id,
    name: agent.name,
    settings: agent.reliability.breaker,
    version: agent.version,
  }
  const { answer, retryAfterMs } = await breakers.ask(subject)
  if (answer === 'wait') return isOpen(agent, retryAfterMs)
  const isTrial = answer === 'trial'
  if (isTrial) {
    const found = await services.probe(organizationId, agent)
    if (found?.ok === false) {
      const message = `The check before the trial failed: ${found.reason}`
      await breakers.failed(subject, { code: 'AGENT_UNREACHABLE', message }, true)
      return isOpen(agent, agent.reliability.breaker.openMs)
    }
  }
  const outcome = await attempt()
  const failure = failureOf(outcome, signal)
  try {
    if (failure) await breakers.failed(subject, failure, isTrial)
    else if (!signal.aborted && outcome.type !== 'put_back') await breakers.worked(subject, isTrial)
  } catch (error) {
    services.log.warn({ err: error, agentId: agent.id }, 'a breaker could not be told how an attempt went')
  }
  return outcome
}

/** The failure that speaks against the agent, if it is one. */
function failureOf(
  outcome: AttemptOutcome,
  signal: AbortSignal,
): { code: string; message: string } | undefined {
  if (signal.aborted) {
    const why: unknown = signal.reason
    return why instanceof Error && TIMEOUTS.has(why.message)
      ? { code: why.message, message: 'The attempt gave no result in its time.' }
      : undefined
  }
  if (outcome.type !== 'failed' || !saysBroken(failureKindOf(outcome.error))) return undefined
  const { code, message } = outcome.error
  return { code, message }
}

const isOpen = ({ name }: AgentExecutor, retryAfterMs: number): TaskOutcome =>
  failed('AGENT_BREAKER_OPEN', `Agent "${name}" failed too often and is not called at the moment.`, {
    retryable: true,
    retryAfterMs,
  })

/**
 * What its agent's recovery makes of an attempt that failed: the fallback answer, or an escalation and no further attempt; else
 * the failure as it is.
 */
export async function afterFailure(
  services: Pick<GuardServices, 'database' | 'tail' | 'log'>,
  task: ClaimedTask,
  agent: AgentExecutor,
  outcome: TaskOutcome & { type: 'failed' },
): Promise<TaskOutcome> {
  const { error, costUsd } = outcome
  const { recovery, fallbackAnswer } = agent.reliability
  const kind = failureKindOf(error)
  const action = recover(kind, task.attempt, recovery)
  const own = { kind, action, code: error.code }
  if (action === 'degrade' && fallbackAnswer !== undefined)
    return {
      type: 'succeeded',
      output: fallbackAnswer,
      ...(costUsd === undefined ? {} : { costUsd }),
      recovery: own,
    }
  if (action !== 'escalate') return outcome
  await escalate(services, task, agent, outcome)
  return { ...outcome, error: { ...error, retryable: false }, recovery: own }
}

/** Once an hour for an agent and a code: what fails a thousand runs is one thing for a person to see to. */
async function escalate(
  services: Pick<GuardServices, 'database' | 'tail' | 'log'>,
  { organizationId, runId, id: taskId }: ClaimedTask,
  { id, name }: AgentExecutor,
  { error: { code, message } }: TaskOutcome & { type: 'failed' },
): Promise<void> {
  const hour = new Date().toISOString().slice(0, 13)
  const actor = workerActor(organizationId)
  try {
    await openEscalation(services, actor, {
      requestKey: `recovery/${id}/${code}/${hour}`,
      title: `Agent "${name}" cannot work: ${code}`.slice(0, 200),
      reason: message.slice(0, 2_000),
      level: 'person',
      context: { code, agentId: id },
      runId,
      taskId,
      agentId: id,
      ...(await placeOfAgent(services, actor, id)),
    })
  } catch (error) {
    services.log.error({ err: error, taskId }, 'an escalation could not be opened')
  }
}
