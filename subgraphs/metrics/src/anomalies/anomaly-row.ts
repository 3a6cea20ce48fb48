/** An anomaly as stored. */
export interface AnomalyRow {
  id: string
  type: string
  severity: 'warning' | 'high' | 'critical'
  scope: string
  workflowId: string | null
  value: number
  threshold: number
  description: string
  detectedAt: Date
}

/** The columns of {@link AnomalyRow}. */
export const ANOMALY_COLUMNS = `id, type, severity, scope, workflow_id as "workflowId", value, threshold, description,
  detected_at as "detectedAt"`
