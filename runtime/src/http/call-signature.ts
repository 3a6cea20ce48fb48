import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { type Actor, actorSchema } from '@tutti/schema'
import { z } from 'zod'

/** The header of a signed call between processes of the platform. */
export const CALL_HEADER = 'x-tutti-call'
const LIFETIME_MS = 60_000

const claimsSchema = z.object({ actor: actorSchema.nullable(), expires: z.number(), body: z.string() })

const digest = (body: string): string => createHash('sha256').update(body).digest('base64url')
const seal = (secret: string, payload: string): string =>
  createHmac('sha256', `call:${secret}`).update(payload).digest('base64url')

/** Signs a body on behalf of an actor (null: the platform asks before it knows who calls). Valid for a minute. */
export function signCall(secret: string, actor: Actor | null, body: string): string {
  const claims = { actor, expires: Date.now() + LIFETIME_MS, body: digest(body) }
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
  return `${payload}.${seal(secret, payload)}`
}

/** The actor a call was signed for, or undefined when the signature, the body or the time is wrong. */
export function verifyCall(
  secret: string,
  header: unknown,
  body: string,
): { actor: Actor | null } | undefined {
  if (typeof header !== 'string') return undefined
  const [payload, signature, more] = header.split('.')
  if (!payload || !signature || more !== undefined) return undefined
  const expected = Buffer.from(seal(secret, payload))
  const given = Buffer.from(signature)
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined
  const claims = claimsSchema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
  if (!claims.success || claims.data.expires < Date.now() || claims.data.body !== digest(body))
    return undefined
  return { actor: claims.data.actor }
}
