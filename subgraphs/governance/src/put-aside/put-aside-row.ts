/** What became of an event that was put aside. */
export type PutAsideStatus = 'aside' | 'again' | 'done'

/** An event that a consumer of the log could not handle. */
export interface PutAsideRow {
  id: string
  consumer: string
  /** The event itself; null: it is no longer kept. */
  eventId: string | null
  occurredAt: Date | null
  type: string
  subject: string
  /** A code of ours, or SQLSTATE_ and PostgreSQL's. */
  code: string
  message: string
  tries: number
  status: PutAsideStatus
  putAsideAt: Date
}
