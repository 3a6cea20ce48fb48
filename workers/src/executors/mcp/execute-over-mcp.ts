import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Client,
  type Progress,
  ProtocolError,
  ProtocolErrorCode,
  SdkError,
  SdkErrorCode,
  type Tool,
} from '@modelcontextprotocol/client'
import { commandProblem, pinTool } from '@tutti/agents/domain'
import type { TaskOutcome } from '@tutti/workflows/domain'
import type { EgressFetch } from '../egress-fetch.ts'
import { type Executor, failed, type TaskCall } from '../executor.ts'
import { passTool } from '../../governance/pass-tool.ts'
import { withoutDecision } from '../read-decision.ts'
import { openWire, reasonOf, type Wire } from '../open-wire.ts'
import { connectOverHttp, connectToCommand } from './connect-mcp.ts'
import type { OpenConnection } from './open-mcp-pool.ts'
import { readToolResult } from './read-tool-result.ts'
import { toolArguments } from './tool-arguments.ts'

const LIST_MS = 30_000
/** The most that a timer takes: the attempt's own time is the limit. */
const NO_TIMEOUT_MS = 2 ** 31 - 1
/** Characters that a tool's description and schema may have together. */
const MOST_OFFER = 256 * 1024
const MOST_MESSAGE = 500

/** Which attempt a pooled connection sends for: each has its own credential, key and limits. */
const onWire = new AsyncLocalStorage<Wire>()

/** How an attempt reaches a server. */
interface Way extends Pick<Wire, 'signal' | 'watch' | 'failureOf'> {
  open: OpenConnection
}

/**
 * Calls a tool of an MCP server, over streamable HTTP or over a command's pipes. What the server says of the tool is held
 * against what is pinned first, and is never anything but data: TOOL_CHANGED, and nothing is called, when it differs.
 */
export const executeOverMcp: Executor = async (call) => {
  const { url, command, args = [], tool } = call.agent.executor
  if (!tool || (url === undefined && command === undefined))
    return failed('AGENT_UNBOUND', `Agent "${call.agent.name}" names no MCP server and tool.`)
  if (url !== undefined) {
    const wire = await openWire(call, url)
    return onWire.run(wire, () => callTool(call, tool, { ...wire, open: (end) => connect(url, wire, end) }))
  }
  if (command === undefined) return failed('AGENT_UNBOUND', `Agent "${call.agent.name}" has no command.`)
  const problem = commandProblem(command, args)
  if (problem) return failed('AGENT_COMMAND_REFUSED', problem)
  return callTool(call, tool, {
    signal: call.signal,
    watch: (work) => work(),
    failureOf: unreachable,
    open: (end) => connectToCommand(command, args, end),
  })
}

function connect(url: string, wire: Wire, end: AbortSignal): Promise<Client> {
  // What is sent outside of any attempt (a cancellation) goes as the newest went.
  let last = wire
  const fetch: EgressFetch = (input, init) => {
    last = onWire.getStore() ?? last
    return last.fetch(input, init)
  }
  return connectOverHttp(url, fetch, end)
}

async function callTool(call: TaskCall, name: string, way: Way): Promise<TaskOutcome> {
  const { task, agent, egress, idempotencyKey } = call
  const { signal } = way
  // An agent's own, with its present configuration: nobody else's calls go over it.
  const key = `${task.organizationId}/${agent.id}/${agent.configurationHash}`
  /** What the server answers, or the outcome that its failure is. */
  async function ask<Answer>(work: () => Promise<Answer>): Promise<Answer | Failed> {
    try {
      return await way.watch(work)
    } catch (error) {
      if (!(error instanceof ProtocolError)) egress.mcp.drop(key)
      return new Failed(outcomeOf(error, way))
    }
  }

  const held = await ask(() => egress.mcp.acquire(key, way.open, signal))
  if (held instanceof Failed) return held.outcome
  using connection = held
  const { client } = connection
  const listed = await ask(() =>
    client.listTools(undefined, { cacheMode: 'refresh', signal, timeout: LIST_MS }),
  )
  if (listed instanceof Failed) return listed.knowsNoSession()
  const tool = listed.tools.find((each) => each.name === name)
  if (!tool) return failed('TOOL_NOT_FOUND', `The server has no tool "${name}".`)
  const refused = await checkPin(call, tool)
  if (refused) return refused
  const passage = await passTool(call, name, toolArguments(withoutDecision(task), agent.executor.arguments))
  if (!passage.ok) return failed(passage.code, passage.reason)
  const result = await ask(() =>
    client.callTool(
      {
        name,
        arguments: passage.arguments,
        _meta: { 'tutti/idempotency-key': idempotencyKey, 'tutti/run-id': task.runId },
      },
      { signal, timeout: NO_TIMEOUT_MS, onprogress: (progress) => call.report(reportOf(progress)) },
    ),
  )
  return result instanceof Failed ? result.outcome : readToolResult(result)
}

/** Why the tool may not be called, if it may not. */
async function checkPin({ services, actor, agent }: TaskCall, tool: Tool): Promise<TaskOutcome | undefined> {
  const { name, description = null, inputSchema } = tool
  const size = (description?.length ?? 0) + JSON.stringify(inputSchema).length
  if (size > MOST_OFFER) return failed('TOOL_INVALID', `The tool's description and schema are too long.`)
  // PostgreSQL keeps neither; no tool is described so by mistake.
  if (description?.includes('\0') || description?.isWellFormed() === false)
    return failed('TOOL_INVALID', `The tool's description is no text.`)
  const state = await pinTool(services, actor, agent.id, { name, description, inputSchema })
  return state === 'pinned'
    ? undefined
    : failed('TOOL_CHANGED', `The tool "${name}" is not what was approved for agent "${agent.name}".`)
}

/** In percent, where the server says of how much. */
function reportOf({ progress, total, message }: Progress): Parameters<TaskCall['report']>[0] {
  const percent = total === undefined || total <= 0 ? undefined : (100 * progress) / total
  return {
    ...(percent === undefined ? {} : { percent: Math.min(100, Math.max(0, percent)) }),
    ...(message === undefined ? {} : { message: message.slice(0, MOST_MESSAGE) }),
  }
}

const SDK_FAILURES: Partial<Record<SdkErrorCode, string>> = {
  [SdkErrorCode.InvalidResult]: 'AGENT_ANSWER_INVALID',
  [SdkErrorCode.UnsupportedResultType]: 'AGENT_INPUT_REQUIRED',
}

function outcomeOf(error: unknown, { failureOf }: Way): TaskOutcome {
  if (error instanceof ProtocolError) {
    return failed('TOOL_REFUSED', `The server refused the call: ${reasonOf(error)}`, {
      retryable: error.code === ProtocolErrorCode.InternalError,
    })
  }
  const code = error instanceof SdkError ? SDK_FAILURES[error.code] : undefined
  return code ? failed(code, `The tool's answer cannot be used: ${reasonOf(error)}`) : failureOf(error)
}

const unreachable = (error: unknown): TaskOutcome =>
  failed('AGENT_UNREACHABLE', `The tool's server did not answer: ${reasonOf(error)}.`, { retryable: true })

class Failed {
  readonly outcome: TaskOutcome

  constructor(outcome: TaskOutcome) {
    this.outcome = outcome
  }

  /** 404 on a connection that was open: the server began anew and has forgotten the session, as the next attempt will not. */
  knowsNoSession(): TaskOutcome {
    const { outcome } = this
    const isForgotten = outcome.type === 'failed' && outcome.error.message.endsWith('status 404.')
    return isForgotten ? { ...outcome, error: { ...outcome.error, retryable: true } } : outcome
  }
}
