/** A bell that remembers having been rung. */
export interface Doorbell {
  ring(): void
  /** Until it rings, or has rung since the last wait; no longer than so many milliseconds, at least 1. */
  wait(ms: number): Promise<void>
}

/** Makes one. */
export function doorbell(): Doorbell {
  let rung = false
  let wake: () => void = () => undefined
  return {
    ring() {
      rung = true
      wake()
    },
    async wait(ms) {
      if (!rung)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(1, ms))
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      rung = false
      wake = () => undefined
    },
  }
}
