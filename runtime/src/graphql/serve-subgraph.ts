import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { z } from 'zod'
import { CALL_HEADER, verifyCall } from '../http/call-signature.ts'
import { addHealthRoutes, type ReadinessCheck } from '../http/health-routes.ts'
import type { Lifecycle } from '../process/lifecycle.ts'
import { continueTrace } from '../process/tracing.ts'
import type { RunningSubgraph } from './execute-subgraph.ts'

const requestSchema = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
})

export interface ServeOptions {
  subgraph: RunningSubgraph
  secret: string
  lifecycle: Lifecycle
  checks?: Record<string, ReadinessCheck>
  /** Signed non-GraphQL calls, as governance's identity: path → body → answer. */
  internal?: Record<string, (body: unknown) => Promise<unknown>>
}

/**
 * The HTTP server of one subgraph: `POST /graphql`, `POST /graphql/stream` (server-sent events), `/health`, `/ready`.
 * Accepts only calls signed by the gateway; anything else is 401 with the same body, whatever was wrong.
 */
export function serveSubgraph({
  subgraph,
  secret,
  lifecycle,
  checks,
  internal,
}: ServeOptions): FastifyInstance {
  // What the gateway lets through (12 MiB) and what the planner adds.
  const app = Fastify({ bodyLimit: 16 * 1024 * 1024, forceCloseConnections: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  )
  addHealthRoutes(app, lifecycle, checks)

  const open = (request: FastifyRequest): ReturnType<typeof verifyCall> =>
    verifyCall(secret, request.headers[CALL_HEADER], String(request.body))
  const refusal = {
    errors: [{ message: 'Only the gateway may call.', extensions: { code: 'UNAUTHENTICATED' } }],
  }

  app.post('/graphql', async (request, reply) => {
    const call = open(request)
    if (!call) return reply.status(401).send(refusal)
    const parsed = requestSchema.parse(JSON.parse(String(request.body)))
    const result = await continueTrace(request.headers, () =>
      subgraph.execute({ ...parsed, actor: call.actor }),
    )
    return reply.header('content-type', 'application/json').send(JSON.stringify(result))
  })

  app.post('/graphql/stream', async (request, reply) => {
    const call = open(request)
    if (!call) return reply.status(401).send(refusal)
    const parsed = requestSchema.parse(JSON.parse(String(request.body)))
    const ending = new AbortController()
    reply.hijack()
    const response = reply.raw
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    response.flushHeaders()
    response.on('close', () => ending.abort())
    const beat = setInterval(() => response.write(':\n\n'), 12_000)
    try {
      for await (const result of subgraph.subscribe({ ...parsed, actor: call.actor }, ending.signal)) {
        if (ending.signal.aborted) break
        if (!response.write(`event: next\ndata: ${JSON.stringify(result)}\n\n`))
          await drained(response, ending.signal)
      }
      response.write('event: complete\ndata:\n\n')
    } finally {
      clearInterval(beat)
      response.end()
    }
  })

  for (const [path, answer] of Object.entries(internal ?? {})) {
    app.post(path, async (request, reply) => {
      const call = open(request)
      if (!call) return reply.status(401).send(refusal)
      return reply.send({ answer: await answer(JSON.parse(String(request.body))) })
    })
  }
  return app
}

function drained(response: NodeJS.WritableStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
