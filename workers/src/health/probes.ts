import { randomUUID } from 'node:crypto'
import {
  type AgentExecutor,
  type CheckResult,
  commandProblem,
  connectorBinding,
  signsOfWorkers,
} from '@tutti/agents/domain'
import { MOST_VALUE_BYTES } from '@tutti/schema'
import { failureKindOf, saysBroken } from '@tutti/workflows/domain'
import { request } from 'undici'
import { readCard } from '../executors/a2a/execute-over-a2a.ts'
import { bindAgent } from '../executors/bind-agent.ts'
import { type EgressFetch, egressFetch } from '../executors/egress-fetch.ts'
import { executeOverHttp } from '../executors/execute-over-http.ts'
import { connectOverHttp, connectToCommand } from '../executors/mcp/connect-mcp.ts'
import type { Egress } from '../executors/open-egress.ts'
import { reasonOf } from '../executors/open-wire.ts'
import { refuseAddress } from '../executors/refuse-address.ts'
import { workerActor, type WorkerServices } from '../worker-services.ts'

/** What a look at an agent is made with. */
export interface ProbeServices extends Pick<WorkerServices, 'database' | 'secret'> {
  egress: Egress
}

type Probe = (services: ProbeServices, organizationId: string, agent: AgentExecutor) => Promise<CheckResult>

const overHttp = speaks(async (url, fetch, signal) => (await connectOverHttp(url, fetch, signal)).close())

/** How agents are looked at, by their executors; of what is not here there is nothing to be seen. */
const probes: Readonly<Partial<Record<AgentExecutor['executor']['type'], Probe>>> = {
  http: (services, organizationId, agent) =>
    agent.reliability.health.syntheticInput === null
      ? atItsAddress(services, organizationId, agent)
      : bySyntheticTask(services, organizationId, agent),
  mcp: (services, organizationId, agent) =>
    agent.executor.command === undefined
      ? overHttp(services, organizationId, agent)
      : byItsCommand(agent.executor.command, agent),
  a2a: speaks(async (url, fetch) => {
    const { name } = await readCard(url, fetch)
    if (!name) throw new Error('Its card has no name.')
  }),
  connector: byItsConnector,
  external: ({ database }, organizationId, agent) =>
    signsOfWorkers(
      { database },
      workerActor(organizationId),
      agent.id,
      2 * agent.reliability.health.intervalMs,
    ),
}

/** Looks at an agent, in the way of its executor. Null: there is nothing to be seen. */
export async function probe(
  services: ProbeServices,
  organizationId: string,
  agent: AgentExecutor,
): Promise<CheckResult> {
  return (await probes[agent.executor.type]?.(services, organizationId, agent)) ?? null
}

/**
 * Asks at the agent's URL, or at the path that is set: anything below 500 is an answer, for it need not know the method;
 * at a path of its own anything but 2xx is none. Null without a URL.
 */
async function atItsAddress(
  { egress: { allowLocal, dispatcher } }: ProbeServices,
  _organizationId: string,
  { executor: { url }, reliability: { health } }: AgentExecutor,
): Promise<CheckResult> {
  if (url === undefined) return null
  const at = health.path === null ? url : new URL(health.path, url).href
  const refusal = refuseAddress(at, allowLocal)
  if (refusal) return { ok: false, reason: refusal }
  try {
    const signal = AbortSignal.timeout(health.timeoutMs)
    const answer = await request(at, { method: 'GET', dispatcher, signal })
    answer.body.on('error', () => undefined).destroy()
    const { statusCode } = answer
    const ok = health.path === null ? statusCode < 500 : statusCode >= 200 && statusCode <= 299
    return ok ? { ok } : { ok, reason: `It answered with status ${statusCode}.` }
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : 'No connection.' }
  }
}

/**
 * Has the first words of its protocol with it, or asks at the path that is set. No credential is shown: to be asked for one
 * is an answer. Null without a URL, as above.
 */
function speaks(greet: (url: string, fetch: EgressFetch, signal: AbortSignal) => Promise<void>): Probe {
  return async (services, organizationId, agent) => {
    const { url } = agent.executor
    const { path, timeoutMs } = agent.reliability.health
    if (url === undefined || path !== null) return atItsAddress(services, organizationId, agent)
    const signal = AbortSignal.timeout(timeoutMs)
    let status = 0
    const fetch = egressFetch(services.egress, {
      origin: new URL(url).origin,
      headers: {},
      most: MOST_VALUE_BYTES,
      onRequest: () => undefined,
      onAnswer: ({ statusCode }) => (status = statusCode),
      onProblem: () => undefined,
      onEnd: () => undefined,
    })
    try {
      await greet(
        url,
        (input, init) =>
          fetch(input, {
            ...init,
            signal: AbortSignal.any([signal, ...(init?.signal ? [init.signal] : [])]),
          }),
        signal,
      )
      return { ok: true }
    } catch (error) {
      return status === 401 || status === 403 ? { ok: true } : { ok: false, reason: reasonOf(error) }
    }
  }
}

/** Starts it as a call would, greets it, and ends it: its command must still be one that the operator allows. */
async function byItsCommand(
  command: string,
  { executor: { args = [] }, reliability: { health } }: AgentExecutor,
): Promise<CheckResult> {
  const reason = commandProblem(command, args)
  if (reason !== undefined) return { ok: false, reason }
  try {
    const client = await connectToCommand(command, args, AbortSignal.timeout(health.timeoutMs))
    await client.close()
    return { ok: true }
  } catch (error) {
    return { ok: false, reason: `The command gave no answer: ${reasonOf(error)}` }
  }
}

/** As what its connector is bound to at this moment; one that is bound to nothing cannot work. */
async function byItsConnector(
  services: ProbeServices,
  organizationId: string,
  agent: AgentExecutor,
): Promise<CheckResult> {
  const { connector = '' } = agent.executor
  const binding = await connectorBinding(services, workerActor(organizationId), connector)
  return binding
    ? probe(services, organizationId, bindAgent(agent, binding))
    : { ok: false, reason: `Nothing says how the connector "${connector}" is called.` }
}

/** Gives it a task that belongs to no run, without credentials: what it refuses it has at least understood. */
async function bySyntheticTask(
  { egress, secret }: ProbeServices,
  organizationId: string,
  agent: AgentExecutor,
): Promise<CheckResult> {
  const { syntheticInput, timeoutMs } = agent.reliability.health
  const { authorization: _, ...executor } = agent.executor
  const id = randomUUID()
  const outcome = await executeOverHttp({
    services: { secret },
    agent: { ...agent, executor },
    egress,
    signal: AbortSignal.timeout(timeoutMs),
    idempotencyKey: `health:${id}`,
    lastReport: null,
    secrets: {
      ofAgent: async () => '',
      ofProvider: async () => undefined,
      conceal: () => undefined,
      cut: (text) => text,
    },
    report: () => undefined,
    heartbeat: () => undefined,
    log: () => undefined,
    task: {
      organizationId,
      id,
      runId: id,
      stepPath: 'health',
      attempt: 1,
      input: syntheticInput ?? {},
      strandId: id,
      fence: 0n,
    },
  })
  if (outcome.type !== 'failed' || !saysBroken(failureKindOf(outcome.error))) return { ok: true }
  return { ok: false, reason: outcome.error.message }
}
