/** A bounded queue between one producer and one `for await`; closing it ends the loop at once. */
export interface Mailbox<T> extends AsyncIterable<T> {
  /** False when it is full or closed: the reader is too slow and the mailbox ends with an error. */
  push(item: T): boolean
  close(): void
}

/** Makes a mailbox that holds at most `limit` items. */
export function createMailbox<T>(limit: number): Mailbox<T> {
  const items: T[] = []
  let closed = false
  let overflowed = false
  let wake: () => void = () => undefined
  return {
    push(item) {
      if (closed) return false
      if (items.length >= limit) {
        overflowed = true
        closed = true
        wake()
        return false
      }
      items.push(item)
      wake()
      return true
    },
    close() {
      closed = true
      wake()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const item = items.shift()
        if (item !== undefined) {
          yield item
          continue
        }
        if (overflowed) throw new Error('The reader of the event log was too slow.')
        if (closed) return
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
}
