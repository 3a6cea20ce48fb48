import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

const TIMEOUT_MS = 10_000

/**
 * Writes lines of checkpoints to where they are kept outside the database. A file gets them at its end and they are on the
 * disk when it returns; an http(s) URL gets a POST of `application/x-ndjson` and has to answer 2xx. Throws when it fails.
 */
export function checkpointWriter(place: string): (lines: string) => Promise<void> {
  if (!/^https?:\/\//i.test(place)) return (lines) => appendTo(place, lines)
  return async (lines) => {
    const response = await fetch(place, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`The receiver of checkpoints answered ${response.status}.`)
  }
}

async function appendTo(path: string, lines: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(path, 'a')
  try {
    await file.appendFile(lines)
    await file.datasync()
  } finally {
    await file.close()
  }
}
