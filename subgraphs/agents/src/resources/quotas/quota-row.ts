import { type Allocation, QUOTA_KINDS, quotaUse } from '../../lifecycle/require-room.ts'

/** A bound, and what of it is set aside. */
export interface QuotaBound {
  most: number | null
  used: number
  /** What of it is really in use now; absent where it is not measured. */
  measured?: number
}

/** A quota with what is set aside of it, as it is read. */
export type QuotaRow = { id: string; domainId: string | null; teamId: string | null } & {
  [Kind in keyof Allocation]: QuotaBound
}

/** Reads quotas `q`; a `where` follows. */
export const SELECT_QUOTAS = `select q.id, q.domain_id as "domainId", q.team_id as "teamId", ${QUOTA_KINDS}
  from agent_quota q ${quotaUse('null')}`
