/** A firing as it is listed. */
export interface FiringRow {
  organizationId: string
  id: string
  triggerId: string
  occurrence: string
  status: 'pending' | 'started' | 'skipped' | 'failed'
  scheduledAt: Date | null
  dueAt: Date | null
  missed: number
  runId: string | null
  error: { code: string; message: string } | null
  createdAt: Date
}

/** Columns of a {@link FiringRow}, of the table under the alias `f`. */
export const FIRING_COLUMNS = `f.organization_id as "organizationId", f.id, f.trigger_id as "triggerId", f.occurrence, f.status,
  f.scheduled_at as "scheduledAt", f.due_at as "dueAt", f.missed, f.run_id as "runId", f.error, f.created_at as "createdAt"`
