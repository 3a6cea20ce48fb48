import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until the condition holds; throws after ten seconds, with what was waited for. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`It did not come true: ${what}`)
    await sleep(5)
  }
}
