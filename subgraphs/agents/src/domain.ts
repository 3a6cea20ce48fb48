export { agentExecutor, type AgentExecutor } from './agents/agent-executor.ts'
export { findAgentsByName, type NamedAgent } from './agents/find-agents-by-name.ts'
export { registerAgent, type RegisterAgentRequest } from './agents/register-agent.ts'
export { BUILTIN_FUNCTIONS, type BuiltinFunction } from './configuration/builtin-functions.ts'
export type { ExecutorRecord } from './configuration/executor-record.ts'
export { MODEL_TOOLS, type ModelTool } from './configuration/model-tools.ts'
export { type RevealedCredential, revealCredential } from './credentials/reveal-credential.ts'
export { scaleAgent, type ScaleAgentRequest } from './lifecycle/scale-agent.ts'
export { retireAgent, type RetireAgentRequest } from './lifecycle/retire-agent.ts'
export {
  findLeavingAgents,
  finishRetirement,
  type LeavingAgent,
  noteHandedOver,
  readRetirement,
} from './lifecycle/work-retirement.ts'
export { type OutgoingMessage, sendMessage } from './messages/send-message.ts'
export { chooseModel } from './models/choose-model.ts'
export { deleteOldModelCalls } from './models/delete-old-model-calls.ts'
export { knownRegistry } from './models/known-registry.ts'
export { measurementsOf } from './models/measurements.ts'
export type { Model } from './models/model.ts'
export { recordModelCall } from './models/record-model-call.ts'
export { setModel } from './models/set-model.ts'
export { setModelPrice } from './models/set-model-price.ts'
