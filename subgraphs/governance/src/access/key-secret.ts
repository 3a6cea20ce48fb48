import { createHash, randomBytes } from 'node:crypto'

const FORM = /^tutti_[A-Za-z0-9_-]{43}$/
const SHOWN = 'tutti_'.length + 6

/** A new secret: `tutti_` and 32 random bytes. It is shown once and never stored. */
export const newSecret = (): string => `tutti_${randomBytes(32).toString('base64url')}`

/** SHA-256 in hex; enough, since the secret itself is random and long. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** What may be shown of a key, to tell keys apart. */
export const prefixOf = (secret: string): string => secret.slice(0, SHOWN)

/** Whether it can be a key of ours at all; spares the database a question. */
export const looksLikeSecret = (value: string): boolean => FORM.test(value)
