import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * TUTTI_SECRET for who set none: made once, kept in `directory`/secret (mode 0600). Whoever holds the directory's lock
 * may call it. The database's passwords derive from it, so it belongs to the data.
 */
export function keepSecret(directory: string): string {
  const file = join(directory, 'secret')
  try {
    const kept = readFileSync(file, 'utf8').trim()
    if (kept.length >= 32) return kept
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const secret = randomBytes(32).toString('base64url')
  writeFileSync(file, `${secret}\n`, { mode: 0o600 })
  return secret
}
