import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { AGENTS, type AgentName, behaviourOf } from './behaviour.ts'

/** A call of an agent, as it was written down when it came. */
export interface SinkCall {
  /** From 1, in the order of arrival; part of the answer. */
  readonly number: number
  readonly agent: AgentName
  readonly runId: string
  readonly path: string
  readonly attempt: number
  /** The idempotency key it bore. */
  readonly key: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly signed: boolean
  /** Whether a result was sent to the end, before the caller went away. */
  done: boolean
}

/** The agents' own world: what they were asked stands here, whatever becomes of the platform. */
export interface AgentSink extends AsyncDisposable {
  readonly calls: readonly SinkCall[]
  /** Under way at this moment. */
  busy(): number
  urlOf(agent: AgentName): string
  /** The secret that an agent checks signatures with, once it is registered. */
  trust(agent: AgentName, secret: Buffer): void
}

const bodySchema = z.object({
  runId: z.string(),
  step: z.string(),
  attempt: z.number(),
  input: z.record(z.string(), z.unknown()),
})

const isAgent = (name: string): name is AgentName => AGENTS.some((agent) => agent === name)

/** Serves all agents on a free port of 127.0.0.1. */
export async function startAgentSink(): Promise<AgentSink> {
  const calls: SinkCall[] = []
  const secrets = new Map<AgentName, Buffer>()
  let busy = 0

  const server = createServer(async (request, response) => {
    const at = Date.now()
    busy++
    response.once('close', () => busy--)
    const name = request.url?.slice(1) ?? ''
    const body = await text(request).catch(() => '')
    const parsed = bodySchema.safeParse(readJson(body))
    if (!isAgent(name) || !parsed.success) return void response.writeHead(400).end()
    const { runId, step: path, attempt, input } = parsed.data
    const key = String(request.headers['idempotency-key'])
    const signed = isSigned(request.headers, body, secrets.get(name))
    const call: SinkCall = {
      number: calls.length + 1,
      agent: name,
      runId,
      path,
      attempt,
      key,
      at,
      signed,
      done: false,
    }
    calls.push(call)

    const { takes, failures, breaks, grade } = behaviourOf(name, key)
    await pause(takes)
    if (attempt <= failures && attempt % 2 === 1) return void response.writeHead(503).end()
    const error = attempt <= failures ? 'TROUBLED' : breaks ? 'BROKEN' : undefined
    const answer = error
      ? { error: { code: error, message: 'as its key has it', retryable: error === 'TROUBLED' } }
      : { output: { call: call.number, grade, echo: brief(input) } }
    response.once('finish', () => (call.done = error === undefined))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    calls,
    busy: () => busy,
    urlOf: (agent) => `http://127.0.0.1:${port}/${agent}`,
    trust: (agent, secret) => void secrets.set(agent, secret),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Numbers of the input, so that an answer tells whose it is; no answers of others within it. */
const brief = (input: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => typeof value === 'number'))

function readJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** Standard Webhooks: HMAC of id, time and body. */
function isSigned(headers: IncomingHttpHeaders, body: string, secret: Buffer | undefined): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers
  if (!secret || typeof signature !== 'string' || id !== headers['idempotency-key']) return false
  const wanted = `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  return wanted.length === signature.length && timingSafeEqual(Buffer.from(wanted), Buffer.from(signature))
}
