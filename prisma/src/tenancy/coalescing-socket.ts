import { Socket } from 'node:net'

type Written = (error?: Error | null) => void

/**
 * A socket that sends what is written in one turn of the event loop together. pg writes each statement by itself, and a
 * system call costs as much as a small statement.
 */
export class CoalescingSocket extends Socket {
  #held = false

  override write(chunk: string | Uint8Array, written?: Written): boolean
  override write(chunk: string | Uint8Array, encoding?: BufferEncoding, written?: Written): boolean
  override write(
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | Written,
    written?: Written,
  ): boolean {
    if (!this.#held) {
      this.#held = true
      this.cork()
      process.nextTick(() => {
        this.#held = false
        this.uncork()
      })
    }
    return typeof encoding === 'function'
      ? super.write(chunk, encoding)
      : super.write(chunk, encoding, written)
  }
}
