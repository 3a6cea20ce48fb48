export { agentExecutor, type AgentExecutor } from './agents/agent-executor.ts'
export { findAgentsByName, type NamedAgent } from './agents/find-agents-by-name.ts'
export { registerAgent, type RegisterAgentRequest } from './agents/register-agent.ts'
export { placeOfAgent } from './hierarchy/place-of-agent.ts'
export { agentSigningSecret } from './signing/agent-signing-secret.ts'
export { type Breakers, breakersOf, type BreakerSubject } from './breaker/open-breakers.ts'
export { breakerOfProvider } from './breaker/provider-breakers.ts'
export { type BudgetRow } from './budgets/budget-row.ts'
export { countReportedCosts } from './budgets/count-reported-costs.ts'
export { deleteOldUses } from './budgets/delete-old-uses.ts'
export { hasBudgets } from './budgets/has-budgets.ts'
export { noteBreach } from './budgets/note-breach.ts'
export { releaseReservations } from './budgets/release-reservations.ts'
export {
  type Amount,
  type Estimate,
  type Reservation,
  reserveCost,
  type Reserved,
  type Spender,
} from './budgets/reserve-cost.ts'
export { setBudget } from './budgets/set-budget.ts'
export { settleCost } from './budgets/settle-cost.ts'
export { BUILTIN_FUNCTIONS, type BuiltinFunction } from './configuration/builtin-functions.ts'
export { configurationHash } from './configuration/configuration-hash.ts'
export type { ExecutorRecord } from './configuration/executor-record.ts'
export { MODEL_TOOLS, type ModelTool } from './configuration/model-tools.ts'
export { type RevealedCredential, revealCredential } from './credentials/reveal-credential.ts'
export { type DueCheck, takeDueChecks, watchNewAgents } from './health/take-due-checks.ts'
export { type CheckResult, noteCheck } from './health/note-check.ts'
export { signsOfWorkers } from './health/signs-of-workers.ts'
export { readReliability, type Reliability } from './reliability/reliability-settings.ts'
export { deployAgent, type DeployAgentRequest } from './lifecycle/deploy/deploy-agent.ts'
export { type DeploymentWorker, findDeployments, workDeployment } from './lifecycle/deploy/work-deployment.ts'
export { scaleAgent, type ScaleAgentRequest } from './lifecycle/scale-agent.ts'
export { deleteOldLoads } from './scaling/delete-old-loads.ts'
export { scaleByLoad } from './scaling/scale-by-load.ts'
export { setScalingPolicy } from './scaling/set-scaling-policy.ts'
export { restoreAgent } from './lifecycle/restore-agent.ts'
export { retireAgent, type RetireAgentRequest } from './lifecycle/retire-agent.ts'
export {
  findLeavingAgents,
  finishRetirement,
  type LeavingAgent,
  noteHandedOver,
  readRetirement,
} from './lifecycle/work-retirement.ts'
export { agentTriggers, type AgentTriggers } from './connectors/agent-triggers.ts'
export { connectorBinding } from './connectors/connector-binding.ts'
export type { ConnectorOutbound } from './connectors/connector-row.ts'
export { deleteOldDeliveries } from './connectors/delete-old-deliveries.ts'
export { type OutgoingMessage, sendMessage } from './messages/send-message.ts'
export { acknowledgeMessages } from './messaging/acknowledge-messages.ts'
export { receiveMessages } from './messaging/receive-messages.ts'
export { sendAgentMessage } from './messaging/send-agent-message.ts'
export { deleteOldMessages } from './messaging/delete-old-messages.ts'
export { deliverStepMessage } from './messaging/deliver-step-message.ts'
export { endOverdueMessages } from './messaging/end-overdue-messages.ts'
export { chooseModel } from './models/choose-model.ts'
export { deleteOldModelCalls } from './models/delete-old-model-calls.ts'
export { knownRegistry } from './models/known-registry.ts'
export { measurementsOf } from './models/measurements.ts'
export { costOf } from './models/cost-of.ts'
export { type Model, priceAt } from './models/model.ts'
export { recordModelCall } from './models/record-model-call.ts'
export { deleteExpiredResponses } from './response-cache/delete-expired-responses.ts'
export { findResponse } from './response-cache/find-response.ts'
export { keepResponse } from './response-cache/keep-response.ts'
export {
  type CacheLevel,
  type CacheReach,
  type KeptResponse,
  type ResponseOrigin,
  nearest,
} from './response-cache/kept-response.ts'
export { setModel } from './models/set-model.ts'
export { setModelPrice } from './models/set-model-price.ts'
export { deleteOldBookings } from './resources/bookings/delete-old-bookings.ts'
export { settleDueResources } from './resources/bookings/settle-due-resources.ts'
export { rebalance } from './resources/rebalance/rebalance.ts'
export { rebalanceBySchedule } from './resources/rebalance/rebalance-by-schedule.ts'
export { setRebalancing } from './resources/rebalance/set-rebalancing.ts'
export { pinTool } from './tools/pin-tool.ts'
export { commandProblem } from './configuration/command-problem.ts'
