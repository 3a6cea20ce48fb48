// Well under the 512 KiB that the gateway takes, whatever JSON's escapes add.
const BATCH_CHARACTERS = 100_000

/** Splits into batches of at most `most` items and about 100,000 characters, in order; a larger item goes alone. */
export function* inBatches<T>(
  items: readonly T[],
  most: number,
  sizeOf: (item: T) => number,
): Generator<T[]> {
  let batch: T[] = []
  let size = 0
  for (const item of items) {
    const more = sizeOf(item)
    if (batch.length > 0 && (batch.length >= most || size + more > BATCH_CHARACTERS)) {
      yield batch
      batch = []
      size = 0
    }
    batch.push(item)
    size += more
  }
  if (batch.length > 0) yield batch
}
