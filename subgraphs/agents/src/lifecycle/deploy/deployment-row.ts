import type { GivenFile } from '../../configuration/executor-record.ts'
import type { DeploymentStatus, StageError, StageRecord } from './deployment-steps.ts'

/** What was asked for. */
export interface DeploymentRequest {
  document: string
  files: GivenFile[]
  teamId: string | null
  instances: number
}

/** A deployment of an agent. */
export interface DeploymentRow {
  id: string
  agentId: string
  agentName: string
  isNew: boolean
  request: DeploymentRequest
  status: DeploymentStatus
  stages: StageRecord[]
  /** Of the stage that failed. */
  error: (StageError & { stage: string }) | null
  requestedBy: { id: string; kind: string; name: string }
  createdAt: Date
  endedAt: Date | null
}

/** The columns of a {@link DeploymentRow}. */
export const DEPLOYMENT_COLUMNS = `id, agent_id as "agentId", agent_name as "agentName", is_new as "isNew", request, status, stages, error,
  requested_by as "requestedBy", created_at as "createdAt", ended_at as "endedAt"`

/** Subject of an event about a deployment, and what every such event says. */
export const aboutDeployment = ({ id, agentId, agentName }: DeploymentRow) => ({
  subject: `deployment/${id}`,
  data: { deploymentId: id, agentId, name: agentName },
})
