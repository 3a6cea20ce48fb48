import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

const stateSchema = z.object({
  organizationId: z.string(),
  providerId: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  redirectUri: z.string(),
  /** Milliseconds since the epoch. */
  until: z.number(),
})

/** What a browser keeps for us between the way to the provider and back. */
export type LoginState = z.infer<typeof stateSchema>

/** Signs it, and reads what we signed and is not over. */
export interface LoginStates {
  sign(state: LoginState): string
  /** Null for anything else. */
  read(cookie: string | undefined): LoginState | null
}

/** With a key of its own, derived from the installation's secret. */
export function createLoginStates(secret: string): LoginStates {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'tutti login', 32))
  const signatureOf = (text: string): Buffer => createHmac('sha256', key).update(text).digest()
  return {
    sign(state) {
      const text = Buffer.from(JSON.stringify(state)).toString('base64url')
      return `${text}.${signatureOf(text).toString('base64url')}`
    },
    read(cookie) {
      const [text = '', signature = ''] = (cookie ?? '').split('.')
      const given = Buffer.from(signature, 'base64url')
      const wanted = signatureOf(text)
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null
      const state = stateSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
      return state.until > Date.now() ? state : null
    },
  }
}
