/**
 * The source's items until it ends or `signal` aborts, whichever is first. On abort the source is told to return
 * but not waited for: an async generator that waits for its next event would hold us until that event.
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void> {
  const iterator = source[Symbol.asyncIterator]()
  const aborted = Promise.withResolvers<null>()
  const onAbort = () => aborted.resolve(null)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  let ended = false
  try {
    while (true) {
      const next = await Promise.race([iterator.next(), aborted.promise])
      if (next === null) return
      if (next.done === true) {
        ended = true
        return
      }
      yield next.value
    }
  } catch (error) {
    ended = true
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
    if (!ended) iterator.return?.()?.then(undefined, () => undefined)
  }
}
