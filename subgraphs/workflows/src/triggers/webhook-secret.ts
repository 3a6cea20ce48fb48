import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'

const PREFIX = 'whsec_'
/** What the Standard Webhooks specification allows, bytes. */
const LEAST = 24
const MOST = 64

/** A new secret path's last part: 32 random bytes. */
export const newPath = (): string => randomBytes(32).toString('base64url')

/** What is stored of a path. */
export const hashPath = (path: string): string => createHash('sha256').update(path).digest('hex')

/** A new secret of a signature, as Standard Webhooks writes it. */
export const newSigningSecret = (): string => `${PREFIX}${randomBytes(32).toString('base64')}`

/** Whether a text is a secret as Standard Webhooks writes it: `whsec_` and 24 to 64 bytes in base64. */
export function isSigningSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false
  const encoded = text.slice(PREFIX.length)
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.toString('base64') === encoded && bytes.length >= LEAST && bytes.length <= MOST
}

const ALGORITHM = 'aes-256-gcm'
const NONCE = 12
const TAG = 16
const keyOf = (secret: string): Buffer =>
  createHmac('sha256', secret).update('trigger-signing-secret').digest()

/** Encrypts a signing secret for storage; only for this trigger can it be opened again. */
export function seal(secret: string, triggerId: string, text: string): string {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv(ALGORITHM, keyOf(secret), nonce).setAAD(Buffer.from(triggerId))
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  )
}

/** Undoes {@link seal}. Throws when another TUTTI_SECRET sealed it. */
export function unseal(secret: string, triggerId: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url')
  const decipher = createDecipheriv(ALGORITHM, keyOf(secret), bytes.subarray(0, NONCE))
    .setAAD(Buffer.from(triggerId))
    .setAuthTag(bytes.subarray(-TAG))
  return Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()]).toString('utf8')
}
