import { CALLS_PER_MINUTE } from '@tutti/prisma'
import type { Resolvers } from '../../generated/resolvers.ts'
import { readRegistration } from '../agents/read-registration.ts'
import { KNOWN_CONNECTORS } from './catalogue.ts'
import { findUnbound } from './find-unbound.ts'
import { listConnectors } from './list-connectors.ts'
import type { BegunDeployment, RegisteredAgent, UpdatedAgent } from './payloads.ts'
import { removeConnector } from './remove-connector.ts'
import { setConnector } from './set-connector.ts'

export const connectorResolvers = {
  Query: {
    connectors: (_, request, context) => listConnectors(context, request),
    connectorCatalogue: () => [...KNOWN_CONNECTORS],
  },
  Mutation: {
    setConnector: (_, { input }, context) => setConnector(context, context.actor, input),
    removeConnector: async (_, { input }, context) => ({
      connector: await removeConnector(context, context.actor, input.id),
    }),
  },
  Connector: {
    maxPerMinute: ({ scheme, maxPerMinute }) => (scheme === null ? null : (maxPerMinute ?? CALLS_PER_MINUTE)),
  },
  RegisterAgentPayload: {
    withoutBinding: ({ agent }: RegisteredAgent, _, context) => findUnbound(context, agent.configuration),
  },
  UpdateAgentPayload: {
    withoutBinding: ({ version }: UpdatedAgent, _, context) => findUnbound(context, version.configuration),
  },
  DeployAgentPayload: {
    withoutBinding: ({ deployment }: BegunDeployment, _, context) =>
      findUnbound(context, readRegistration(deployment.request).configuration),
  },
} satisfies Resolvers

/** The API's names of the stored values. */
export const connectorEnums = {
  ConnectorCategory: {
    CORE: 'core',
    DEVELOPMENT: 'development',
    ANALYTICS: 'analytics',
    GOVERNANCE: 'governance',
    MESSAGING: 'messaging',
    SOCIAL: 'social',
  },
  ConnectorScheme: {
    STANDARD_WEBHOOKS: 'standard_webhooks',
    GITHUB: 'github',
    LINEAR: 'linear',
    NOTION: 'notion',
    SLACK: 'slack',
    VERCEL: 'vercel',
    META: 'meta',
  },
}
