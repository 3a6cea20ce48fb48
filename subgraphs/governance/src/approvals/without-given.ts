import type { ApprovalRow } from './approval-row.ts'
import type { Given, KnownAuthority } from './names-of.ts'

/**
 * An authority without the roles and groups that it has by those alone who asked for an approval or wrote it, and only since
 * it was asked for: nobody makes others deciders of their own.
 */
export function withoutGiven<Known extends KnownAuthority>(
  { requestedBy, authors, createdAt }: Pick<ApprovalRow, 'requestedBy' | 'authors' | 'createdAt'>,
  authority: Known,
): Known {
  const theirs = [requestedBy.id, requestedBy.agentId, ...authors]
  const counts = ({ by, at }: Given): boolean =>
    at < createdAt.getTime() || !by.some((id) => theirs.includes(id))
  const { rolesGiven, groupsGiven } = authority
  return {
    ...authority,
    roles: authority.roles.filter((role) => rolesGiven[role]?.some(counts) ?? true),
    groups: authority.groups.filter((group) => groupsGiven[group]?.every(counts) ?? true),
  }
}
