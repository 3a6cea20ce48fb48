import { z } from 'zod'
import { askInside } from '../hooks/receive-hook-over-http.ts'

/** What governance is asked when somebody logs in or out. */
export type LoginQuestion =
  | { kind: 'provider'; organizationId: string; providerId: string | null }
  | { kind: 'start'; organizationId: string; providerId: string; claims: Record<string, unknown> }
  | { kind: 'end'; token: string }

const providerSchema = z.object({
  id: z.string(),
  issuer: z.string(),
  clientId: z.string(),
  clientSecret: z.string(),
})

const answerSchema = z.union([
  z.object({ provider: providerSchema.nullable() }),
  z.object({ session: z.object({ token: z.string(), expiresAt: z.number() }).nullable() }),
  z.object({ refused: z.object({ id: z.string(), name: z.string() }) }),
  z.object({ ended: z.boolean() }),
])

/** Where people of an organization log in. */
export type LoginProvider = z.infer<typeof providerSchema>

/** A provider, a session that has begun (`expiresAt` in milliseconds since the epoch), who may not begin one, or whether one has
 * ended. */
export type LoginAnswer = z.infer<typeof answerSchema>

/** Throws when nobody can say. */
export type AskLogin = (question: LoginQuestion) => Promise<LoginAnswer>

/** Where governance answers those: a signed call, for us alone. */
const LOGIN_PATH = '/internal/login'

const wrappedSchema = z.object({ answer: answerSchema })

/** Asks the governance process at `url`. */
export function askLoginOverHttp(url: string, secret: string): AskLogin {
  const ask = askInside(new URL(LOGIN_PATH, url), secret)
  return async (question) => wrappedSchema.parse(await ask(question)).answer
}
