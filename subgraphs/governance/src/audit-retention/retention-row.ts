/** How long entries are kept at least, by their significance, in days; 7 years have two leap days at most. */
export const LEAST_DAYS = { standard: 90, significant: 365, compliance: 2_557 } as const

/** How long an organization's entries are kept, in days. */
export interface RetentionRow {
  standardDays: number
  significantDays: number
  complianceDays: number
}

/** What an organization has that never said anything. */
export const RETENTION_DEFAULT: RetentionRow = {
  standardDays: LEAST_DAYS.standard,
  significantDays: LEAST_DAYS.significant,
  complianceDays: LEAST_DAYS.compliance,
}

/** Columns of a {@link RetentionRow} of `audit_retention`. */
export const RETENTION_COLUMNS = `standard_days as "standardDays", significant_days as "significantDays",
  compliance_days as "complianceDays"`

/** Holds and whatever takes entries away are one after the other within an organization; its id is $1. */
export const LOCK_RETENTION = `select pg_advisory_xact_lock(hashtextextended('audit_retention/' || $1::text, 0))`
