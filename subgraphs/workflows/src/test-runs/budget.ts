import type { TestProblemCode } from './test-result.ts'

/** How far a test may go. */
export type TestLimits = {
  readonly transitions: number
  /** Milliseconds of this process's time, without what others have of it meanwhile. */
  readonly cpuMs: number
  /** Bytes of the trace as JSON. */
  readonly traceBytes: number
}

export const TEST_LIMITS: TestLimits = { transitions: 10_000, cpuMs: 5_000, traceBytes: 5 * 1024 * 1024 }

const TURN_MS = 20

/** A test is at a limit: it is over, and says so. */
export class LimitReached extends Error {
  readonly code: TestProblemCode

  constructor(code: TestProblemCode, message: string) {
    super(message)
    this.code = code
  }
}

/** What a test has used of what it may. Whatever goes past a limit throws {@link LimitReached}. */
export class Budget {
  readonly #limits: TestLimits
  #transitions = 0
  #bytes = 0
  #usedMs = 0
  #since = performance.now()

  constructor(limits: TestLimits) {
    this.#limits = limits
  }

  takeTransitions(count: number): void {
    this.#transitions += count
    const { transitions } = this.#limits
    if (this.#transitions > transitions)
      throw new LimitReached('TOO_MANY_TRANSITIONS', `A test makes ${transitions} transitions at most.`)
  }

  takeBytes(count: number): void {
    this.#bytes += count
    const { traceBytes } = this.#limits
    if (this.#bytes > traceBytes)
      throw new LimitReached('TRACE_TOO_LARGE', `The trace of a test has ${traceBytes} bytes at most.`)
  }

  /** To be asked between two events: lets others have their turn when this one has lasted. */
  async rest(): Promise<void> {
    const turn = performance.now() - this.#since
    const { cpuMs } = this.#limits
    if (this.#usedMs + turn > cpuMs)
      throw new LimitReached('TOO_MUCH_TIME', `A test takes ${cpuMs} ms of computing at most.`)
    if (turn < TURN_MS) return
    this.#usedMs += turn
    await new Promise((resolve) => setImmediate(resolve))
    this.#since = performance.now()
  }
}
