import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** Whether a real browser is here; `TUTTI_REQUIRE_CHROMIUM=1` says that it must be. */
export const hasChromium = existsSync(EXECUTABLE) || process.env['TUTTI_REQUIRE_CHROMIUM'] === '1'

/** A browser with nothing in it and nothing to fetch from elsewhere; dispose it. */
export interface Browser extends AsyncDisposable {
  context: BrowserContext
}

/** Starts Debian's Chromium in an empty profile. Throws when there is none. */
export async function openBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'tutti-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    viewport: { width: 1400, height: 900 },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  return {
    context,
    async [Symbol.asyncDispose]() {
      await context.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}
