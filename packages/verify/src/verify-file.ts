import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { blocksOf } from './blocks-of.ts'
import { openThreads } from './open-threads.ts'
import type { Report, VerifySettings } from './record-walk.ts'
import { checkHere, verifyBlocks } from './verify-blocks.ts'

const BLOCK_BYTES = 4 << 20
/** A smaller file is verified before threads have started. */
const WORTH_THREADS = 8 * BLOCK_BYTES
const MOST_THREADS = 8

/** Verifies an exported file, on all cores when it is large. Throws when it cannot be read. */
export async function verifyFile(file: string, settings: VerifySettings): Promise<Report> {
  const { size } = await stat(file)
  const blocks = blocksOf(createReadStream(file, { highWaterMark: BLOCK_BYTES }))
  if (size < WORTH_THREADS) return verifyBlocks(blocks, settings, checkHere())
  await using threads = openThreads(Math.min(availableParallelism(), MOST_THREADS))
  return await verifyBlocks(blocks, settings, threads)
}
