import { type BlockSettings, type CheckedBlock, checkBlock } from './check-block.ts'
import { linesIn } from './lines-of.ts'
import { openWalk, type RecordWalk, type Report, type VerifySettings } from './record-walk.ts'

/** Checks blocks of lines. */
export interface Checker {
  /** How many may be under way. */
  readonly most: number
  /** Says against what, for the blocks that come. */
  begin(settings: BlockSettings): void
  /** As {@link checkBlock}, of whole lines of UTF-8. */
  check(block: Uint8Array): Promise<CheckedBlock | null>
}

/** Checks them in this thread. */
export function checkHere(): Checker {
  let settings: BlockSettings = { organizationId: undefined, checkpoints: [] }
  return {
    most: 1,
    begin: (given) => void (settings = given),
    check: async (block) => checkBytes(block, settings),
  }
}

/** {@link checkBlock} of bytes. */
export function checkBytes(block: Uint8Array, settings: BlockSettings): CheckedBlock | null {
  const lines = linesIn(block, true)
  if (!areAllRead(lines)) return null
  try {
    return checkBlock(lines, settings)
  } catch (error) {
    // A line is too much for an expression.
    if (error instanceof RangeError) return null
    throw error
  }
}

const areAllRead = (lines: readonly (string | null)[]): lines is readonly string[] => !lines.includes(null)

/**
 * Verifies an export in blocks of whole lines. What it finds is what a walk line by line finds: a block with something
 * wrong in it is walked through, and one that is well is put behind what came before it. Memory grows with what was
 * pruned alone.
 */
export async function verifyBlocks(
  blocks: AsyncIterable<Uint8Array>,
  settings: VerifySettings,
  checker: Checker,
): Promise<Report> {
  const walk = openWalk(settings)
  const underWay: { block: Uint8Array; checked: Promise<CheckedBlock | null> }[] = []
  let isFirst = true
  let checkable: boolean | undefined

  async function settle(): Promise<void> {
    const next = underWay.shift()
    if (!next) return
    const checked = await next.checked
    const followed = checked !== null && walk.follow(firstLine(next.block), checked)
    const rest = checked === null || followed ? 0 : 1
    if (!followed) takeAll(linesIn(next.block, true).slice(rest), walk)
  }

  for await (const block of blocks) {
    if (checkable === true) {
      const checked = checker.check(block)
      checked.catch(() => undefined) // It is told when its turn comes.
      underWay.push({ block, checked })
      if (underWay.length >= checker.most) await settle()
      continue
    }
    takeAll(linesIn(block, !isFirst), walk)
    isFirst = false
    checkable ??= begin(walk, checker)
  }
  while (underWay.length > 0) await settle()
  return walk.end()
}

/** Undefined: nothing is known yet. False: the checkpoints are in no order, so what covers an entry is not plain. */
function begin(walk: RecordWalk, checker: Checker): boolean | undefined {
  const standing = walk.standing()
  if (standing === null) return undefined
  const { checkpoints } = standing
  const inOrder = checkpoints.every(
    ({ firstSequence, lastSequence }, index) =>
      firstSequence > (checkpoints[index - 1]?.lastSequence ?? 0) && lastSequence >= firstSequence,
  )
  if (inOrder) checker.begin(standing)
  return inOrder
}

function takeAll(lines: readonly (string | null)[], walk: RecordWalk): void {
  for (const line of lines) if (line !== '') walk.take(line)
}

const NEWLINE = 10

function firstLine(block: Uint8Array): string {
  const end = block.indexOf(NEWLINE)
  return linesIn(end < 0 ? block : block.subarray(0, end), true)[0] ?? ''
}
