import { createHash, hkdfSync } from 'node:crypto'
import { seal, unseal } from './seal.ts'

/** A data key as it is stored: only the master key of this name opens it. */
export interface WrappedKey {
  masterKey: string
  wrapped: Buffer
}

/** Who keeps the master keys: wraps data keys and opens them again, under the name of a master key's version. */
export interface Kms {
  /** The master key that new data keys are wrapped with. */
  readonly current: string
  /** Wraps a data key with the current master key, bound to what it belongs to. */
  wrap(dataKey: Buffer, belongsTo: readonly string[]): Promise<WrappedKey>
  /** Throws MasterKeyMissing when it has no such master key, SealBroken when the key does not open it. */
  unwrap(key: WrappedKey, belongsTo: readonly string[]): Promise<Buffer>
}

/** A data key is wrapped with a master key that this process was not given. */
export class MasterKeyMissing extends Error {
  readonly code = 'MASTER_KEY_MISSING'

  constructor(masterKey: string) {
    super(`There is no master key "${masterKey}" here: set TUTTI_MASTER_KEY_PREVIOUS to it.`)
    this.name = 'MasterKeyMissing'
  }
}

/** Master keys of 32 bytes as base64; without any, one derived from TUTTI_SECRET does. */
export interface KmsSettings {
  secret: string
  masterKey?: string | undefined
  /** Opens what it wrapped, and wraps nothing new. */
  previous?: string | undefined
}

const NONCE_BYTES = 12
const KEY_BYTES = 32

/** Whether a text is a master key: 32 bytes as base64. */
export const isMasterKey = (text: string): boolean =>
  /^[A-Za-z0-9+/]{43}=$/.test(text) && Buffer.from(text, 'base64').length === KEY_BYTES

/** The built-in {@link Kms}: master keys from the environment, which never leave the process. */
export function createKms({ secret, masterKey, previous }: KmsSettings): Kms {
  const derived = Buffer.from(hkdfSync('sha256', secret, '', 'tutti master key', KEY_BYTES))
  const current = masterKey === undefined ? derived : Buffer.from(masterKey, 'base64')
  // What was wrapped before there was a master key in the environment opens too.
  const known = [current, derived, ...(previous === undefined ? [] : [Buffer.from(previous, 'base64')])]
  const keys = new Map(known.map((key) => [nameOf(key), key]))
  const bound = (name: string, belongsTo: readonly string[]) => ['data key', name, ...belongsTo]
  const name = nameOf(current)
  return {
    current: name,
    async wrap(dataKey, belongsTo) {
      const { nonce, ciphertext } = seal(current, dataKey, bound(name, belongsTo))
      return { masterKey: name, wrapped: Buffer.concat([nonce, ciphertext]) }
    },
    async unwrap({ masterKey: wanted, wrapped }, belongsTo) {
      const key = keys.get(wanted)
      if (!key) throw new MasterKeyMissing(wanted)
      const sealed = { nonce: wrapped.subarray(0, NONCE_BYTES), ciphertext: wrapped.subarray(NONCE_BYTES) }
      return unseal(key, sealed, bound(wanted, belongsTo))
    },
  }
}

/** Says which key it is and nothing about it. */
const nameOf = (key: Buffer): string =>
  `local-${createHash('sha256').update('tutti master key name').update(key).digest('hex').slice(0, 16)}`
