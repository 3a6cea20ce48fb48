/** What one statement is given at most, characters of JSON; a single item may be more. */
const MOST_CHARACTERS = 8 * 1024 * 1024

/** The items in their order, in chunks that a statement can carry. */
export function chunkBySize<Item>(items: readonly Item[], carried: (item: Item) => unknown): Item[][] {
  const chunks: Item[][] = []
  let room = 0
  for (const item of items) {
    const size = JSON.stringify(carried(item))?.length ?? 0
    const chunk = chunks.at(-1)
    if (chunk && size <= room) {
      chunk.push(item)
      room -= size
    } else {
      chunks.push([item])
      room = MOST_CHARACTERS - size
    }
  }
  return chunks
}
