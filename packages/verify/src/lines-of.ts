import { blocksOf } from './blocks-of.ts'

const NEWLINE = 10

/** The lines of a file that comes in pieces, as {@link linesIn}; an empty one at the end is none. */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<(string | null)[]> {
  let isFirst = true
  for await (const block of blocksOf(pieces)) {
    yield linesIn(block, !isFirst)
    isFirst = false
  }
}

/** The lines of a block; null: it is no UTF-8. A mark of the byte order is none at the beginning of a file alone. */
export function linesIn(block: Uint8Array, ignoreBOM: boolean): (string | null)[] {
  const whole = decoded(block, ignoreBOM)?.split('\n')
  if (whole !== undefined) {
    if (whole.at(-1) === '') whole.pop()
    return whole
  }
  const lines: (string | null)[] = []
  for (let start = 0; start < block.length;) {
    const end = block.indexOf(NEWLINE, start)
    const line = block.subarray(start, end < 0 ? block.length : end)
    lines.push(decoded(line, ignoreBOM || start > 0))
    start += line.length + 1
  }
  return lines
}

function decoded(bytes: Uint8Array, ignoreBOM: boolean): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM }).decode(bytes)
  } catch {
    return null
  }
}
