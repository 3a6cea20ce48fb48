/** One event's answer, serialised once for everybody who gets it. */
export interface SharedMessage {
  /** Of the event; null where events have none. */
  cursor: string | null
  /** The execution result as JSON, `extensions.cursor` included. */
  payload: string
}

/** One client's end of a subscription. None of these may block. */
export interface Subscriber {
  next(message: SharedMessage): void
  /** Ends it with errors. */
  fail(errors: readonly object[]): void
  /** Ends it: nothing more will come. */
  complete(): void
  /** Bytes that wait to be sent to this client. */
  pressure(): number
}
