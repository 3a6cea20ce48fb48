import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** What AES-256-GCM makes of a text: the tag is the ciphertext's end. */
export interface Sealed {
  /** 12 bytes, new for every sealing. */
  nonce: Buffer
  ciphertext: Buffer
}

/** A ciphertext that does not open: another key, another place than it was sealed for, or changed bytes. */
export class SealBroken extends Error {
  readonly code = 'SEAL_BROKEN'

  constructor() {
    super('The ciphertext does not open here.')
    this.name = 'SealBroken'
  }
}

/** What a ciphertext belongs to, in one unambiguous text: opened for anything else, it stays shut. */
const boundTo = (belongsTo: readonly string[]): Buffer => Buffer.from(JSON.stringify(belongsTo))

/** Encrypts under a key of 32 bytes, bound to what it belongs to. */
export function seal(key: Buffer, plain: Buffer, belongsTo: readonly string[]): Sealed {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(boundTo(belongsTo))
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  return { nonce, ciphertext }
}

/** Decrypts what {@link seal} made. Throws {@link SealBroken}. */
export function unseal(key: Buffer, { nonce, ciphertext }: Sealed, belongsTo: readonly string[]): Buffer {
  if (nonce.length !== NONCE_BYTES || ciphertext.length < TAG_BYTES) throw new SealBroken()
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(boundTo(belongsTo))
  decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_BYTES)), decipher.final()])
  } catch {
    throw new SealBroken()
  }
}
