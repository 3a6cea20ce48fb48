/** The tenant as its members see it. */
export interface OrganizationRow {
  id: string
  name: string
  tier: string
  timeZone: string
}

/** A domain as stored. */
export interface DomainRow {
  id: string
  name: string
}

/** A team as stored. */
export interface TeamRow {
  id: string
  domainId: string
  name: string
  priority: string
}

/** The columns of {@link TeamRow}. */
export const TEAM_COLUMNS = 'id, domain_id as "domainId", name, priority'
