import { loaderOf } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { loadAgents } from '../agents/load-agents.ts'
import type { Context } from '../context.ts'
import { acknowledgeMessages } from './acknowledge-messages.ts'
import { agentInbox } from './agent-inbox.ts'
import { PRIORITY } from './agent-message.ts'
import { answerTo, awaitAnswer } from './await-answer.ts'
import { broadcastMessage } from './broadcast-message.ts'
import { listAgentMessages } from './list-agent-messages.ts'
import { listMessagePolicies } from './list-message-policies.ts'
import { loadAgentMessages } from './load-agent-messages.ts'
import { receiveMessages } from './receive-messages.ts'
import { removeMessagePolicy } from './remove-message-policy.ts'
import { respondToRequest } from './respond-to-request.ts'
import { sendAgentMessage } from './send-agent-message.ts'
import { sendRequest } from './send-request.ts'
import { setMessagePolicy } from './set-message-policy.ts'

const agentOf = (context: Context, id: string | null) =>
  id === null ? null : loaderOf(context, loadAgents).load(id)

export const messagingResolvers = {
  Query: {
    agentMessage: (_, { id }, context) => loaderOf(context, loadAgentMessages).load(id),
    agentMessages: (_, request, context) => listAgentMessages(context, request),
    agentRequest: (_, request, context) => awaitAnswer(context, request),
    messagePolicies: (_, page, context) => listMessagePolicies(context, page),
  },
  Mutation: {
    sendMessage: (_, { input }, context) => sendAgentMessage(context, context.actor, input),
    broadcastMessage: async (_, { input }, context) => {
      const { id, messages, ...counts } = await broadcastMessage(context, context.actor, input)
      return { broadcastId: id, messages, sent: messages.length, ...counts }
    },
    sendRequest: async (_, { input }, context) => {
      const { message, created } = await sendRequest(context, context.actor, input)
      return { request: { id: message.id, message, answer: await answerTo(context, message) }, created }
    },
    respondToRequest: (_, { input }, context) => respondToRequest(context, context.actor, input),
    receiveMessages: async (_, { input }, context) => ({
      messages: await receiveMessages(context, context.actor, input),
    }),
    acknowledgeMessages: (_, { input }, context) => acknowledgeMessages(context, context.actor, input),
    setMessagePolicy: async (_, { input }, context) => ({
      policy: await setMessagePolicy(context, context.actor, input),
    }),
    removeMessagePolicy: async (_, { input }, context) => ({
      policy: await removeMessagePolicy(context, context.actor, input.id),
    }),
  },
  Subscription: {
    agentInbox: {
      subscribe: (_, args, context) => ({
        async *[Symbol.asyncIterator]() {
          for await (const delivery of agentInbox(context, args)) yield { agentInbox: delivery }
        },
      }),
    },
  },
  AgentMessage: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadAgentMessages).load(id),
    from: ({ fromAgentId }, _, context) => agentOf(context, fromAgentId),
    to: ({ toAgentId }, _, context) => agentOf(context, toAgentId),
    sentAt: ({ createdAt }) => createdAt,
  },
  BroadcastCopy: {
    to: async ({ agentId }, _, context) =>
      (await loaderOf(context, loadAgents).load(agentId)) ?? fail('NOT_FOUND'),
  },
  MessagePolicy: {
    from: ({ fromKind, fromValue }) => ({ kind: fromKind, value: fromValue }),
    to: ({ toKind, toValue }) => ({ kind: toKind, value: toValue }),
  },
} satisfies Resolvers

/** The API's names of the stored values. */
export const messagingEnums = {
  AgentMessageKind: {
    MESSAGE: 'message',
    BROADCAST: 'broadcast',
    REQUEST: 'request',
    RESPONSE: 'response',
  },
  MessagePriority: {
    LOW: PRIORITY.low,
    NORMAL: PRIORITY.normal,
    HIGH: PRIORITY.high,
    URGENT: PRIORITY.urgent,
  },
  AgentMessageStatus: {
    SENT: 'sent',
    DELIVERED: 'delivered',
    ACKNOWLEDGED: 'acknowledged',
    EXPIRED: 'expired',
    DEAD: 'dead',
  },
  MessagePolicyEffect: { ALLOW: 'allow', DENY: 'deny' },
  MessagePartyKind: {
    ANY: 'any',
    DOMAIN: 'domain',
    TEAM: 'team',
    AGENT: 'agent',
    TYPE: 'type',
    CAPABILITY: 'capability',
  },
}
