import { openWalk, type Report, type VerifySettings } from './record-walk.ts'

/** Verifies an export line by line (null: one that is no UTF-8), in memory that grows with what was pruned alone. */
export async function verifyRecord(
  lines: AsyncIterable<readonly (string | null)[]>,
  settings: VerifySettings,
): Promise<Report> {
  const walk = openWalk(settings)
  for await (const some of lines) for (const line of some) if (line !== '') walk.take(line)
  return walk.end()
}
