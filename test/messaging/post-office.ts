import type { Caller } from '../world/caller.ts'
import type { Organization } from '../world/organization.ts'
import { openCaller } from '../world/caller.ts'
import type { World } from '../world/start-world.ts'

/** A message as the tests select it. */
export interface Message {
  id: string
  kind: string
  body: unknown
  status: string
  priority: string
  deliveries: number
  requestId: string | null
  deadReason: string | null
  from: { name: string } | null
  to: { name: string } | null
}

export const MESSAGE =
  'id kind body status priority deliveries requestId deadReason from { name } to { name }'

/** What callers say to the mailroom. */
export const post = {
  async send(caller: Caller, to: object, body: unknown, more: object = {}): Promise<Message> {
    const { sendMessage } = await caller.query<{ sendMessage: { message: Message } }>(
      `mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { ${MESSAGE} } } }`,
      { input: { to, body, ...more } },
    )
    return sendMessage.message
  },
  async receive(caller: Caller, more: object = {}): Promise<Message[]> {
    const { receiveMessages } = await caller.query<{ receiveMessages: { messages: Message[] } }>(
      `mutation($input: ReceiveMessagesInput!) { receiveMessages(input: $input) { messages { ${MESSAGE} } } }`,
      { input: { most: 100, ...more } },
    )
    return receiveMessages.messages
  },
  async acknowledge(caller: Caller, ids: readonly string[], more: object = {}) {
    const { acknowledgeMessages } = await caller.query<{
      acknowledgeMessages: { acknowledged: string[]; refused: string[] }
    }>(
      `mutation($input: AcknowledgeMessagesInput!) { acknowledgeMessages(input: $input) { acknowledged refused } }`,
      { input: { ids, ...more } },
    )
    return acknowledgeMessages
  },
  async ask(caller: Caller, to: object, body: unknown, more: object = {}): Promise<string> {
    const { sendRequest } = await caller.query<{ sendRequest: { request: { id: string } } }>(
      'mutation($input: SendRequestInput!) { sendRequest(input: $input) { request { id } } }',
      { input: { to, body, ...more } },
    )
    return sendRequest.request.id
  },
  async answerOf(caller: Caller, id: string, waitSeconds = 0) {
    const { agentRequest } = await caller.query<{
      agentRequest: { message: Message; answer: Message | null } | null
    }>(
      `query($id: ID!, $waitSeconds: Float) { agentRequest(id: $id, waitSeconds: $waitSeconds) {
         message { ${MESSAGE} } answer { ${MESSAGE} } } }`,
      { id, waitSeconds },
    )
    return agentRequest
  },
}

export const RESPOND =
  'mutation($input: RespondToRequestInput!) { respondToRequest(input: $input) { created message { id } } }'
export const SEND =
  'mutation($input: SendMessageInput!) { sendMessage(input: $input) { created message { id } } }'
export const BROADCAST = `mutation($input: BroadcastMessageInput!) { broadcastMessage(input: $input) {
  broadcastId sent denied full created messages { id to { name } } } }`
export const SET_POLICY =
  'mutation($input: SetMessagePolicyInput!) { setMessagePolicy(input: $input) { policy { id } } }'

/** Registers an agent and opens a caller with a key of its own. */
export async function hire(
  world: World,
  org: Organization,
  name: string,
  {
    type = 'test.agent',
    capabilities = ['test'],
    teamId,
  }: { type?: string; capabilities?: string[]; teamId?: string } = {},
): Promise<Caller & { agentId: string }> {
  const { registerAgent } = await org
    .as('admin')
    .query<{ registerAgent: { agent: { id: string } } }>(
      'mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { agent { id } } }',
      {
        input: {
          document: `metadata: {name: ${name}, type: ${type}, version: 1.0.0}\ncapabilities: [${capabilities.join(', ')}]\nexecutor: {type: external}`,
          ...(teamId === undefined ? {} : { teamId }),
        },
      },
    )
  const { createApiKey } = await org
    .as('admin')
    .query<{ createApiKey: { secret: string } }>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
      { input: { principalName: name, kind: 'agent', roles: ['agent'] } },
    )
  return { ...openCaller(world.url, createApiKey.secret), agentId: registerAgent.agent.id }
}

/** Every lease of an agent's inbox is over. */
export const endLeases = (world: World, agentId: string) =>
  world.asOwner(
    `update agent_message set lease_until = clock_timestamp() - interval '1 second' where to_agent_id = $1 and lease_until is not null`,
    [agentId],
  )

/** A message's time is over. */
export const endTime = (world: World, id: string) =>
  world.asOwner(
    `update agent_message set expires_at = clock_timestamp() - interval '1 second', due_at = clock_timestamp() - interval '1 second' where id = $1`,
    [id],
  )
