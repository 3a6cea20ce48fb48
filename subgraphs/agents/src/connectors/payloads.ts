import type { AgentRow } from '../agents/agent-row.ts'
import type { AgentVersionRow } from '../lifecycle/agent-version.ts'
import type { DeploymentRow } from '../lifecycle/deploy/deployment-row.ts'

/** What registering an agent came to; names without a binding are looked up when they are asked for. */
export interface RegisteredAgent {
  agent: AgentRow
  changed: boolean
}

/** Likewise of an update. */
export interface UpdatedAgent {
  agent: AgentRow
  version: AgentVersionRow
  created: boolean
}

/** Likewise of a deployment. */
export interface BegunDeployment {
  deployment: DeploymentRow
}
