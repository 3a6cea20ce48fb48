/** Who has a role, where, why and until when. */
export interface AssignmentRow {
  id: string
  role: string
  principalId: string | null
  principalName: string | null
  groupId: string | null
  groupName: string | null
  domainId: string | null
  teamId: string | null
  reason: string | null
  expiresAt: Date | null
  grantedBy: { id: string; kind: string; name: string }
  createdAt: Date
  revokedAt: Date | null
}

/** {@link AssignmentRow} of {@link ASSIGNMENT_TABLES}. */
export const ASSIGNMENT_COLUMNS = `a.id, a.role, a.principal_id as "principalId", p.name as "principalName",
  a.group_id as "groupId", g.name as "groupName", a.domain_id as "domainId", a.team_id as "teamId", a.reason,
  a.expires_at as "expiresAt", a.granted_by as "grantedBy", a.created_at as "createdAt", a.revoked_at as "revokedAt"`

/** Where those columns come from. */
export const ASSIGNMENT_TABLES = `role_assignment a
  left join principal p on p.organization_id = a.organization_id and p.id = a.principal_id
  left join access_group g on g.organization_id = a.organization_id and g.id = a.group_id`
