const NEWLINE = 10

/** Bytes that come in pieces, as blocks of whole lines: each ends with a line, at most the last one without its end. */
export async function* blocksOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = []
  for await (const piece of pieces) {
    const end = piece.lastIndexOf(NEWLINE) + 1
    if (end > 0) {
      yield rest.length === 0 ? piece.subarray(0, end) : Buffer.concat([...rest, piece.subarray(0, end)])
      rest = []
    }
    if (end < piece.length) rest.push(piece.subarray(end))
  }
  if (rest.length > 0) yield Buffer.concat(rest)
}
