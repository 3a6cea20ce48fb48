import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const STAMP = '.stamp'

/**
 * Runs `generate` when the files matched by `inputs` (globs relative to `directory`), or the text in `also`, differ
 * from those of the last run that succeeded. What it saw is kept as a hash in `<output>/.stamp`.
 * Returns true when it ran.
 */
export async function whenChanged(
  options: { directory: string; inputs: string[]; also: string[]; output: string; force: boolean },
  generate: () => Promise<void>,
): Promise<boolean> {
  const hash = createHash('sha256')
  for (const text of options.also) hash.update(text).update('\0')
  for (const file of globSync(options.inputs, { cwd: options.directory }).sort()) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(options.directory, file)))
      .update('\0')
  }
  const now = hash.digest('hex')
  const stamp = join(options.output, STAMP)
  if (!options.force && readIfPresent(stamp) === now) return false

  // A stamp must not outlive the code it stands for: a run that dies half way is repeated.
  rmSync(stamp, { force: true })
  mkdirSync(options.output, { recursive: true })
  await generate()
  writeFileSync(stamp, now)
  return true
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
