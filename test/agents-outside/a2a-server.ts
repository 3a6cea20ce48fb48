import {
  A2A_PROTOCOL_VERSION,
  AgentCard,
  formatSSEEvent,
  type Message,
  type Part,
  Role,
  SSE_HEADERS,
  TaskState,
} from '@a2a-js/sdk'
import {
  AgentEvent,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  type RequestContext,
  ServerCallContext,
} from '@a2a-js/sdk/server'
import { z } from 'zod'
import { type OutsideServer, serve } from './serve.ts'

/** How one message's work is told about. */
export interface A2aWork {
  readonly message: Message
  readonly contextId: string
  /** Aborts when the task is cancelled. */
  readonly signal: AbortSignal
  /** A message instead of a task. */
  reply(...parts: Part[]): void
  /** The task's state, with words. */
  status(state: TaskState, words?: string): void
  artifact(id: string, parts: Part[], append?: boolean): void
}

/** Somebody else's A2A agent. */
export interface OutsideA2aAgent extends OutsideServer {
  /** Below which its card is. */
  readonly url: string
  readonly messages: readonly Message[]
  /** Ids of tasks that it was asked to cancel. */
  readonly cancelled: readonly string[]
  /** Methods that it was called by, in their order, with the headers. */
  readonly requests: readonly { method: string; headers: Headers }[]
  /** The next time it is asked after a task, the connection breaks. */
  break(): void
}

/** A part with a text, or with a value. */
export const part = (content: string | object): Part => ({
  content:
    typeof content === 'string' ? { $case: 'text', value: content } : { $case: 'data', value: content },
  metadata: undefined,
  filename: '',
  mediaType: '',
})

/** Starts one by the official SDK, over JSON-RPC. */
export async function startA2aAgent(
  work: (work: A2aWork) => Promise<void>,
  { streaming = true }: { streaming?: boolean } = {},
): Promise<OutsideA2aAgent> {
  const messages: Message[] = []
  const cancelled: string[] = []
  const requests: { method: string; headers: Headers }[] = []
  const running = new Map<string, AbortController>()
  let breaks = false
  let handler: { card: AgentCard; rpc: JsonRpcTransportHandler } | undefined

  const executor = {
    async execute(context: RequestContext, bus: ExecutionEventBus): Promise<void> {
      messages.push(context.userMessage)
      const stop = new AbortController()
      running.set(context.taskId, stop)
      await work(workOf(context, bus, stop.signal))
      bus.finished()
    },
    async cancelTask(taskId: string, bus: ExecutionEventBus): Promise<void> {
      cancelled.push(taskId)
      running.get(taskId)?.abort()
      bus.publish(
        AgentEvent.statusUpdate({
          taskId,
          contextId: '',
          status: statusOf(TaskState.TASK_STATE_CANCELED),
          metadata: undefined,
        }),
      )
      bus.finished()
    },
  }

  const server = await serve(async (request, origin) => {
    handler ??= openHandler(origin)
    if (request.method === 'GET') return Response.json(AgentCard.toJSON(handler.card))
    const body = z.looseObject({ method: z.string() }).parse(await request.json())
    requests.push({ method: body.method, headers: request.headers })
    if (breaks && body.method === 'GetTask') {
      breaks = false
      throw new Error('The connection breaks.')
    }
    const answer = await handler.rpc.handle(
      body,
      new ServerCallContext({ requestedVersion: A2A_PROTOCOL_VERSION }),
    )
    if (!(Symbol.asyncIterator in answer)) return Response.json(answer)
    return new Response(ReadableStream.from(events(answer)), { headers: SSE_HEADERS })
  })

  function openHandler(origin: string): { card: AgentCard; rpc: JsonRpcTransportHandler } {
    const card = cardOf(`${origin}/rpc`, streaming)
    const rpc = new JsonRpcTransportHandler(
      new DefaultRequestHandler(card, new InMemoryTaskStore(), executor),
    )
    return { card, rpc }
  }

  return {
    ...server,
    url: `${server.origin}/agent`,
    messages,
    cancelled,
    requests,
    break: () => void (breaks = true),
  }
}

async function* events(answers: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const each of answers) yield Buffer.from(formatSSEEvent(each))
}

const cardOf = (url: string, streaming: boolean): AgentCard => ({
  name: 'Outside',
  description: 'Does tasks.',
  supportedInterfaces: [
    { url, protocolBinding: 'JSONRPC', tenant: '', protocolVersion: A2A_PROTOCOL_VERSION },
  ],
  provider: undefined,
  version: '1.0.0',
  capabilities: { streaming, pushNotifications: false, extensions: [] },
  securitySchemes: {},
  securityRequirements: [],
  defaultInputModes: ['text/plain', 'application/json'],
  defaultOutputModes: ['text/plain', 'application/json'],
  skills: [],
  signatures: [],
})

const messageOf = (parts: Part[], context?: RequestContext): Message => ({
  messageId: crypto.randomUUID(),
  contextId: context?.contextId ?? '',
  taskId: '',
  role: Role.ROLE_AGENT,
  parts,
  metadata: undefined,
  extensions: [],
  referenceTaskIds: [],
})

const statusOf = (state: TaskState, words?: string) => ({
  state,
  message: words === undefined ? undefined : messageOf([part(words)]),
  timestamp: new Date().toISOString(),
})

function workOf(context: RequestContext, bus: ExecutionEventBus, signal: AbortSignal): A2aWork {
  const { taskId, contextId, userMessage: message } = context
  let isMade = false
  const make = (): void => {
    if (isMade) return
    isMade = true
    const status = statusOf(TaskState.TASK_STATE_SUBMITTED)
    const task = { id: taskId, contextId, status, artifacts: [], history: [message], metadata: undefined }
    bus.publish(AgentEvent.task(task))
  }
  return {
    message,
    contextId,
    signal,
    reply: (...parts) => bus.publish(AgentEvent.message(messageOf(parts, context))),
    status(state, words) {
      make()
      bus.publish(
        AgentEvent.statusUpdate({ taskId, contextId, status: statusOf(state, words), metadata: undefined }),
      )
    },
    artifact(artifactId, parts, append = false) {
      make()
      const artifact = { artifactId, name: '', description: '', parts, metadata: undefined, extensions: [] }
      const update = { taskId, contextId, artifact, append, lastChunk: true, metadata: undefined }
      bus.publish(AgentEvent.artifactUpdate(update))
    },
  }
}

/** The document that registers an A2A agent. */
export const a2aAgentDocument = (name: string, url: string, more = ''): string =>
  `metadata: { name: ${name}, type: service.a2a, version: 1.0.0 }\nexecutor: { type: a2a, url: "${url}"${more} }\n`
