import { createHash, randomBytes } from 'node:crypto'

const FORM = /^[A-Za-z0-9_-]{43}$/

/** A new token: 32 random bytes. It is in the person's cookie and nowhere else. */
export const newToken = (): string => randomBytes(32).toString('base64url')

/** SHA-256 in hex, for a session alone: the hash of a key opens no session, and the other way round. */
export const hashOfToken = (token: string): string =>
  createHash('sha256').update(`session ${token}`).digest('hex')

/** Whether it can be a token of ours at all; spares the database a question. */
export const looksLikeToken = (value: string): boolean => FORM.test(value)
