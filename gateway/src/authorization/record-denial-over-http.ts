import { CALL_HEADER, signCall } from '@tutti/runtime'

import type { RecordDenial } from './record-denials.ts'

/** Where governance takes denials: a signed call, for us alone. */
export const DENIAL_PATH = '/internal/denial'

/** Tells the governance process at `url`. Throws when it does not take it. */
export function recordDenialOverHttp(url: string, secret: string): RecordDenial {
  const address = new URL(DENIAL_PATH, url)
  return async (actor, denial) => {
    const body = JSON.stringify({ actor, denial })
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [CALL_HEADER]: signCall(secret, null, body) },
      body,
      signal: AbortSignal.timeout(3_000),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`governance answered ${response.status}`)
  }
}
