import type { ChannelKind } from './channel-row.ts'

/** `pending` → `delivered`, `failed` when it is given up, or `dropped`: it waits for them no more. */
export type NotificationStatus = 'pending' | 'delivered' | 'failed' | 'dropped'

/** What somebody is told. */
export interface NotificationMessage {
  /** As escalation.waiting or .exhausted, approval.waiting or .reminded, authority.informed, access.glass_broken, incident.opened. */
  type: string
  title: string
  /** What we say. */
  lines: string[]
  /** What whoever raised it says: never shown as words of ours. */
  said?: string
  data: Record<string, unknown>
}

/** A telling as its table keeps it. */
export interface NotificationRow {
  id: string
  /** As escalation/<id>, approval/<id>, or of what nobody answers task/<id>, mutation/<name>, breakGlass/<id> or incident/<id>. */
  subject: string
  turn: number
  /** A person's id, or as group/<name> or organization. */
  recipient: string
  kind: ChannelKind
  address: string
  credential: string | null
  message: NotificationMessage
  /** The person who alone is told at this place, which is their own, and gets a link to decide; null: nobody does. */
  linkFor: string | null
  status: NotificationStatus
  attempts: number
  nextAt: Date
  lastError: string | null
  deliveredAt: Date | null
  createdAt: Date
}

/** {@link NotificationRow} of the table `notification`. */
export const NOTIFICATION_COLUMNS = `id, subject, turn, recipient, kind, address, credential, message, link_for as "linkFor",
  status, attempts, next_at as "nextAt", last_error as "lastError", delivered_at as "deliveredAt", created_at as "createdAt"`
