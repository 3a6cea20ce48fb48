import { hash, randomBytes } from 'node:crypto'
import canonicalize from 'canonicalize'

/** SHA-256 of a text's UTF-8, as hex. */
export const sha256 = (text: string): string => hash('sha256', text, 'hex')

/** The RFC 8785 form of a JSON value. Throws at what is none: lone surrogates, NaN. */
export function canonical(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new Error('That is no JSON.')
  return text
}

const SALT_BYTES = 16

/** What a commitment begins with, 32 hex digits: without it nobody can guess what was committed to. */
export const newSalt = (): string => randomBytes(SALT_BYTES).toString('hex')

/** A commitment to a value: it can be forgotten with its salt, and the commitment stays. 64 hex digits. */
export const commitmentTo = (salt: string, value: unknown): string => sha256(salt + canonical(value))
