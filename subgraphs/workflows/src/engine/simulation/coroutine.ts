/** What a coroutine waits for: it is told how to go on, or why it cannot. */
export type Pause = (resume: () => void, fail: (error: Error) => void) => void

/** Work in turns: like an async function, but everything it does is decided by the timeline. */
export type Coroutine<T> = Generator<Pause, T, void>

/** Waits until `begin` calls one of its two arguments; never, if it calls none. */
export function* answerOf<T>(
  begin: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Coroutine<T> {
  const answers: T[] = []
  yield (resume, fail) =>
    begin((value) => {
      answers.push(value)
      resume()
    }, fail)
  for (const answer of answers) return answer
  throw new Error('It goes on without an answer.')
}

/** Runs a coroutine as far as it goes; an error that nobody caught in it goes to `onError`. */
export function start(work: Coroutine<void>, onError: (error: unknown) => void): void {
  const turn = (next: () => IteratorResult<Pause, void>) => {
    let result: IteratorResult<Pause, void>
    try {
      result = next()
    } catch (error) {
      return onError(error)
    }
    if (result.done) return
    result.value(
      () => turn(() => work.next()),
      (error) => turn(() => work.throw(error)),
    )
  }
  turn(() => work.next())
}
