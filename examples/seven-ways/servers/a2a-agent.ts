import { A2A_PROTOCOL_VERSION, AgentCard, type Part, Role } from '@a2a-js/sdk'
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
import { judgeMessage } from './judge-message.ts'
import { serve, type ServerOfOurs } from '../../platform/serve.ts'

const JSON_MODES = ['text/plain', 'application/json']

/** An agent that speaks A2A by JSON-RPC: a message in, a message with the judgement out. */
export function startA2aAgent(): Promise<ServerOfOurs> {
  const tasks = new InMemoryTaskStore()
  return serve(async (request, origin) => {
    const card = cardOf(`${origin}/rpc`)
    if (request.method === 'GET') return Response.json(AgentCard.toJSON(card))
    const rpc = new JsonRpcTransportHandler(new DefaultRequestHandler(card, tasks, executor))
    const context = new ServerCallContext({ requestedVersion: A2A_PROTOCOL_VERSION })
    const call = z.record(z.string(), z.unknown()).parse(await request.json())
    return Response.json(await rpc.handle(call, context))
  })
}

const executor = {
  async execute({ contextId, userMessage }: RequestContext, bus: ExecutionEventBus): Promise<void> {
    const [asked] = userMessage.parts
    const text = asked?.content?.$case === 'text' ? asked.content.value : ''
    const judgement: Part = {
      content: { $case: 'data', value: { label: judgeMessage(text), by: 'an agent that speaks A2A' } },
      metadata: undefined,
      filename: '',
      mediaType: 'application/json',
    }
    bus.publish(
      AgentEvent.message({
        messageId: crypto.randomUUID(),
        contextId,
        taskId: '',
        role: Role.ROLE_AGENT,
        parts: [judgement],
        metadata: undefined,
        extensions: [],
        referenceTaskIds: [],
      }),
    )
    bus.finished()
  },
  // It answers at once: there is never anything to stop.
  async cancelTask(_taskId: string, bus: ExecutionEventBus): Promise<void> {
    bus.finished()
  },
}

const cardOf = (url: string): AgentCard => ({
  name: 'Triage',
  description: 'Says how the writer of a message feels.',
  supportedInterfaces: [
    { url, protocolBinding: 'JSONRPC', tenant: '', protocolVersion: A2A_PROTOCOL_VERSION },
  ],
  provider: undefined,
  version: '1.0.0',
  capabilities: { streaming: false, pushNotifications: false, extensions: [] },
  securitySchemes: {},
  securityRequirements: [],
  defaultInputModes: JSON_MODES,
  defaultOutputModes: JSON_MODES,
  skills: [],
  signatures: [],
})
