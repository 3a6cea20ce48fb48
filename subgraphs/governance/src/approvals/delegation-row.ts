import type { ActorRef } from '../access/actor-ref.ts'

/** Somebody's right to decide, lent to somebody else for a time. */
export interface DelegationRow {
  id: string
  fromId: string
  from: ActorRef
  toId: string
  to: ActorRef
  /** Of these actions; none: of all. */
  actions: string[]
  /** In stages of these teams; none: in all. */
  teamIds: string[]
  reason: string | null
  startsAt: Date
  endsAt: Date
  endedAt: Date | null
  endedBy: ActorRef | null
  isActive: boolean
  createdAt: Date
}

/** {@link DelegationRow} of the table `approval_delegation`, by the database's clock. */
export const DELEGATION_COLUMNS = `id, from_id as "fromId", delegator as "from", to_id as "toId", delegate as "to", actions,
  team_ids as "teamIds", reason, starts_at as "startsAt", ends_at as "endsAt", ended_at as "endedAt",
  ended_by as "endedBy",
  (ended_at is null and starts_at <= clock_timestamp() and ends_at > clock_timestamp()) as "isActive",
  created_at as "createdAt"`
