/** Somebody took the role admin for a time, and somebody else looked at it afterwards. */
export interface BreakGlassRow {
  id: string
  principalId: string
  principalName: string
  reason: string
  startedAt: Date
  /** When it ends, or ended. */
  endsAt: Date
  assignmentId: string
  incidentId: string
  reviewedAt: Date | null
  reviewedBy: { id: string; kind: string; name: string } | null
  review: string | null
}

/** {@link BreakGlassRow} of {@link BREAK_GLASS_TABLES}. */
export const BREAK_GLASS_COLUMNS = `b.id, b.principal_id as "principalId", p.name as "principalName", b.reason,
  b.started_at as "startedAt", least(a.expires_at, a.revoked_at) as "endsAt", b.assignment_id as "assignmentId",
  b.incident_id as "incidentId", b.reviewed_at as "reviewedAt", b.reviewed_by as "reviewedBy", b.review`

/** Where those columns come from. */
export const BREAK_GLASS_TABLES = `break_glass b
  join principal p on p.organization_id = b.organization_id and p.id = b.principal_id
  join role_assignment a on a.organization_id = b.organization_id and a.id = b.assignment_id`
