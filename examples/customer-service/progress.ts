import type { RunWatch } from './watch-runs.ts'

const WIDTH = 24
const EVERY_MS = 100
const EVERY_LINE_MS = 2_000

/** One line that says how far it is; drawn over itself on a terminal, a new line every 2 s elsewhere. */
export function showProgress(
  watch: RunWatch,
  total: number,
  out: NodeJS.WriteStream = process.stdout,
): Disposable {
  const began = performance.now()
  const line = () => {
    const settled = watch.settled()
    const ended = [...settled.values()].reduce((sum, count) => sum + count, 0)
    const bar = '█'.repeat(Math.floor((WIDTH * ended) / total)).padEnd(WIDTH, '░')
    const failed = (settled.get('FAILED') ?? 0) + (settled.get('CANCELLED') ?? 0)
    return [
      `${bar} ${ended}/${total}`,
      `${settled.get('COMPLETED') ?? 0} done`,
      `${settled.get('WAITING') ?? 0} with a person`,
      ...(failed ? [`${failed} failed`] : []),
      `${((performance.now() - began) / 1000).toFixed(1)} s`,
    ].join('   ')
  }
  const draw = () => out.write(out.isTTY ? `\r\x1B[K${line()}` : `${line()}\n`)
  const timer = setInterval(draw, out.isTTY ? EVERY_MS : EVERY_LINE_MS)
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      draw()
      if (out.isTTY) out.write('\n')
    },
  }
}
