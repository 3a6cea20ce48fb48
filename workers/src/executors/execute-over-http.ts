import { createHmac } from 'node:crypto'
import { agentSigningSecret } from '@tutti/agents/domain'
import { issueReportToken, type TaskOutcome } from '@tutti/workflows/domain'
import { MOST_VALUE_BYTES } from '@tutti/schema'
import { type Dispatcher, request } from 'undici'
import { z } from 'zod'
import { failed, succeeded, type TaskCall } from './executor.ts'
import { AddressRefused } from './open-egress.ts'
import { isStream, type Line, lineSchema, readLines } from './read-agent-stream.ts'
import { refuseAddress } from './refuse-address.ts'

const TOO_LARGE = failed('AGENT_ANSWER_TOO_LARGE', 'The agent answered more than 2 MiB.')

/** It has taken the task on, and answers by its token when it is done. */
const LATER = 202

const answerSchema = z.union([
  z.object({ output: z.unknown(), costUsd: z.number().nonnegative().optional() }).strict(),
  z
    .object({
      error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean().default(false) }),
    })
    .strict(),
])

/** What of a task's call an HTTP agent gets to do with. */
export interface HttpCall extends Pick<
  TaskCall,
  'egress' | 'secrets' | 'idempotencyKey' | 'signal' | 'lastReport' | 'report' | 'heartbeat' | 'log'
> {
  services: Pick<TaskCall['services'], 'secret'>
  agent: Pick<TaskCall['agent'], 'id' | 'name' | 'executor'>
  task: Pick<
    TaskCall['task'],
    'organizationId' | 'id' | 'runId' | 'stepPath' | 'attempt' | 'input' | 'strandId' | 'fence' | 'begins'
  >
}

/**
 * Calls an HTTP agent: POST of the task's input, signed by the Standard Webhooks scheme, with the idempotency key.
 * Where the agent's configuration names a credential, a header bears it. The agent answers `{"output": …}` or
 * `{"error": {code, message, retryable}}`; as `application/x-ndjson`, with lines of progress, heartbeats and logs before it;
 * or 202, and the answer later at the gateway's `/callbacks/<token>`, within the attempt's time. The token in the body lets
 * it report by mutation as well. 429 and 5xx are retryable and `Retry-After` is honoured; other statuses are not.
 * Redirects are refused.
 */
export async function executeOverHttp(call: HttpCall): Promise<TaskOutcome> {
  const url = call.agent.executor.url
  if (!url) return failed('AGENT_UNBOUND', `Agent "${call.agent.name}" has no URL.`)
  const refusal = refuseAddress(url, call.egress.allowLocal)
  if (refusal) return failed('AGENT_ADDRESS_REFUSED', refusal)
  const authorization = await authorizationOf(call, url)
  const body = JSON.stringify({
    taskId: call.task.id,
    runId: call.task.runId,
    step: call.task.stepPath,
    attempt: call.task.attempt,
    input: call.task.input,
    reportToken: issueReportToken(call.services.secret, call.task),
    ...(call.lastReport ? { progress: call.lastReport } : {}),
  })
  let response: Dispatcher.ResponseData
  let text: string | undefined
  try {
    // `request` follows no redirect.
    response = await request(url, {
      method: 'POST',
      body,
      headers: { ...headersOf(call, body), ...authorization },
      dispatcher: call.egress.dispatcher,
      signal: call.signal,
      // The attempt's own time is the limit.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    if (isStream(response)) return await readStream(call, response.body)
    text = await readLimited(response.body)
  } catch (error) {
    if (error instanceof AddressRefused) return failed(error.code, error.message)
    const reason = error instanceof Error ? error.message : 'no connection'
    return failed('AGENT_UNREACHABLE', `The agent could not be reached: ${reason}.`, { retryable: true })
  }
  if (text === undefined) return TOO_LARGE
  const { statusCode, headers } = response
  if (statusCode === LATER) return { type: 'waiting', approvalId: null }
  if (statusCode < 200 || statusCode > 299) {
    const retryable = statusCode === 429 || statusCode >= 500
    const retryAfterMs = retryAfter(headers['retry-after'])
    return failed('AGENT_REFUSED', `The agent answered with status ${statusCode}.`, {
      retryable,
      retryAfterMs,
      fault: statusCode === 429 ? 'overload' : statusCode >= 500 ? 'server' : undefined,
    })
  }
  return readAnswer(text)
}

/** The header that the agent's configuration asks for, with the credential read at this moment. */
export async function authorizationOf(
  { agent, secrets }: Pick<HttpCall, 'agent' | 'secrets'>,
  url: string,
): Promise<Record<string, string>> {
  const { authorization } = agent.executor
  if (!authorization) return {}
  const { credential, header, scheme } = authorization
  const value = await secrets.ofAgent(credential, url)
  // Basic takes user:password encoded, and nothing else does.
  const sent = scheme.toLowerCase() === 'basic' ? Buffer.from(value).toString('base64') : value
  return { [header]: scheme === '' ? sent : `${scheme} ${sent}` }
}

function headersOf({ services, agent, idempotencyKey }: HttpCall, body: string): Record<string, string> {
  const timestamp = Math.floor(Date.now() / 1000).toString()
  const signature = createHmac('sha256', agentSigningSecret(services.secret, agent.id))
    .update(`${idempotencyKey}.${timestamp}.${body}`)
    .digest('base64')
  return {
    'content-type': 'application/json',
    'webhook-id': idempotencyKey,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
    'idempotency-key': idempotencyKey,
  }
}

function readAnswer(text: string): TaskOutcome {
  const json = parseJson(text)
  if (json === undefined)
    return failed('AGENT_ANSWER_INVALID', 'The agent did not answer with JSON.', { retryable: true })
  const answer = answerSchema.safeParse(json)
  if (!answer.success) return failed('AGENT_ANSWER_INVALID', 'The answer is neither {output} nor {error}.')
  if ('error' in answer.data) {
    const { code, message, retryable } = answer.data.error
    return failed(code, message, { retryable })
  }
  return succeeded(answer.data.output ?? null, answer.data.costUsd ?? 0)
}

/** Passes on what the agent says until it answers. */
async function readStream(call: HttpCall, body: AsyncIterable<Buffer>): Promise<TaskOutcome> {
  for await (const text of readLines(body, MOST_VALUE_BYTES)) {
    if (text === undefined) return TOO_LARGE
    const line = lineSchema.safeParse(parseJson(text))
    if (!line.success) return readAnswer(text)
    passOn(call, line.data)
  }
  return failed('AGENT_ANSWER_INVALID', 'The agent ended its stream without an answer.', { retryable: true })
}

function passOn({ report, heartbeat, log }: HttpCall, line: Line): void {
  if ('progress' in line) report(line.progress)
  else if ('log' in line) log(line.log.level, line.log.message, line.log.data)
  else heartbeat()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Undefined when it is too long: what comes after the limit is not read, the connection is given up. */
async function readLimited(body: AsyncIterable<Buffer>): Promise<string | undefined> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.byteLength
    if (size > MOST_VALUE_BYTES) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Seconds or a date, as HTTP allows; milliseconds from now. */
export function retryAfter(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const moment = Date.parse(header)
  return Number.isNaN(moment) ? undefined : Math.max(0, moment - Date.now())
}
