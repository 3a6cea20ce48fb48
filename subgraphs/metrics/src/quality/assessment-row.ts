/** One dimension's score (0 to 1) and what lowered it. */
export interface AssessedDimension {
  name: string
  score: number
  reasons: string[]
}

/** An assessment as stored. */
export interface AssessmentRow {
  id: string
  taskId: string | null
  runId: string | null
  agentId: string | null
  workflowId: string | null
  /** `rules`, or the model that judged as well. */
  scorer: string
  /** Of the organization's criteria; 0 are the platform's own. */
  criteriaVersion: number
  overallScore: number
  confidence: number
  dimensions: AssessedDimension[]
  recommendations: string[]
  flags: string[]
  belowMinimum: boolean
  createdAt: Date
}

/** The columns of {@link AssessmentRow}. */
export const ASSESSMENT_COLUMNS = `id, task_id as "taskId", run_id as "runId", agent_id as "agentId",
  workflow_id as "workflowId", scorer, criteria_version as "criteriaVersion", overall_score as "overallScore", confidence,
  dimensions, recommendations, flags, below_minimum as "belowMinimum", created_at as "createdAt"`
