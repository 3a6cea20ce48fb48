/** What is heard of one attempt. */
export interface Heart extends Disposable {
  /** A sign of life. */
  beat(): void
}

export interface HeartOptions {
  /** The longest silence that the step allows, milliseconds, at least 100; undefined when it allows any. */
  limit: () => Promise<number | undefined>
  /** Milliseconds since the last sign of life that came another way than by {@link Heart.beat}; null: there was none. */
  outside: () => Promise<number | null>
  /** Called once, when nothing was heard for so long. */
  onSilent: (limitMs: number) => void
  /** It could not be asked; it is asked again. */
  onError: (error: unknown) => void
}

/** No limit is shorter, and most attempts are over by then: whether there is one is asked only of the others. */
const FIRST_LOOK_MS = 100
const AGAIN_MS = 1_000

/** Listens from now on. Before it says that an attempt is silent it asks what came from outside. */
export function startHeart({ limit, outside, onSilent, onError }: HeartOptions): Heart {
  let last = performance.now()
  let limitMs: number | undefined
  let over = false
  let timer = setTimeout(look, FIRST_LOOK_MS)
  const silence = (): number => performance.now() - last

  function look(): void {
    void untilNext()
      .catch((error: unknown) => {
        onError(error)
        return AGAIN_MS
      })
      .then((ms) => {
        if (!over && ms !== undefined) timer = setTimeout(look, Math.max(1, ms))
      })
  }

  /** Milliseconds until it has to be looked again; undefined when not at all. */
  async function untilNext(): Promise<number | undefined> {
    limitMs ??= await limit()
    if (over || limitMs === undefined) return undefined
    if (silence() < limitMs) return limitMs - silence()
    const age = await outside()
    const silentMs = Math.min(silence(), age ?? Number.POSITIVE_INFINITY)
    if (silentMs < limitMs) return limitMs - silentMs
    if (!over) onSilent(limitMs)
    return undefined
  }

  return {
    beat() {
      last = performance.now()
    },
    [Symbol.dispose]() {
      over = true
      clearTimeout(timer)
    },
  }
}
