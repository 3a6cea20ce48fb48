import { defineSubgraph, mergeResolvers } from '@tutti/runtime'
import { agentResolvers, agentStatusValues } from './agents/agents.resolvers.ts'
import { signingResolvers } from './signing/signing.resolvers.ts'
import { breakerEnums, breakerResolvers } from './breaker/breaker.resolvers.ts'
import { budgetEnums, budgetResolvers } from './budgets/budgets.resolvers.ts'
import { configurationEnums } from './configuration/configuration-enums.ts'
import { connectorEnums, connectorResolvers } from './connectors/connectors.resolvers.ts'
import type { Context, Services } from './context.ts'
import { costDimensions, costResolvers } from './costs/costs.resolvers.ts'
import { credentialResolvers } from './credentials/credentials.resolvers.ts'
import { healthEnums, healthResolvers } from './health/health.resolvers.ts'
import { hierarchyResolvers } from './hierarchy/hierarchy.resolvers.ts'
import { deployEnums, deployResolvers } from './lifecycle/deploy/deploy.resolvers.ts'
import { agentRetirementStatusValues, lifecycleResolvers } from './lifecycle/lifecycle.resolvers.ts'
import { messagingEnums, messagingResolvers } from './messaging/messaging.resolvers.ts'
import { messageResolvers } from './messages/messages.resolvers.ts'
import { modelResolvers } from './models/models.resolvers.ts'
import { bookingEnums, bookingResolvers } from './resources/bookings/bookings.resolvers.ts'
import { forecastResolvers } from './resources/forecast/forecast.resolvers.ts'
import { quotaResolvers } from './resources/quotas/quotas.resolvers.ts'
import { rebalanceEnums, rebalanceResolvers } from './resources/rebalance/rebalance.resolvers.ts'
import { responseCacheResolvers } from './response-cache/response-cache.resolvers.ts'
import { reliabilityEnums, reliabilityResolvers } from './reliability/reliability.resolvers.ts'
import { scalingEnums, scalingResolvers } from './scaling/scaling.resolvers.ts'
import { toolResolvers } from './tools/tools.resolvers.ts'

export {
  type ConnectorAnswer,
  connectorCallSchema,
  receiveConnectorCall,
} from './connectors/receive-connector-call.ts'

/** Who does the work: the hierarchy, the agents in it, what they sent outside, and the models they ask. */
export const agents = defineSubgraph<Services, Context>({
  name: 'agents',
  directory: import.meta.dirname,
  resolvers: mergeResolvers(
    agentResolvers,
    breakerResolvers,
    signingResolvers,
    breakerEnums,
    budgetResolvers,
    costResolvers,
    { ...budgetEnums, CostDimension: costDimensions },
    configurationEnums,
    connectorResolvers,
    connectorEnums,
    credentialResolvers,
    healthResolvers,
    healthEnums,
    hierarchyResolvers,
    lifecycleResolvers,
    deployResolvers,
    deployEnums,
    { AgentStatus: agentStatusValues, AgentRetirementStatus: agentRetirementStatusValues },
    messageResolvers,
    messagingResolvers,
    messagingEnums,
    modelResolvers,
    bookingResolvers,
    bookingEnums,
    quotaResolvers,
    forecastResolvers,
    rebalanceResolvers,
    rebalanceEnums,
    responseCacheResolvers,
    reliabilityResolvers,
    reliabilityEnums,
    scalingResolvers,
    scalingEnums,
    toolResolvers,
  ),
  context: (services, actor) => ({ ...services, actor }),
})
