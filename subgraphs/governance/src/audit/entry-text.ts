import { seal, SealBroken, unseal } from '@tutti/runtime'
import type { SubjectKey } from '@tutti/prisma'

/** What of an entry may have to be forgotten, and the salt without which nobody can guess it. */
export interface EntryText {
  summary: string
  details: unknown
  salt: string
}

const NONCE_BYTES = 12

const boundTo = (organizationId: string, keyId: string): string[] => ['audit entry', organizationId, keyId]

/** Encrypts under all keys in turn: without any one of them it does not open. */
export function sealText(organizationId: string, keys: readonly SubjectKey[], text: EntryText): Buffer {
  return keys.reduce(
    (plain, { id, key }) => {
      const { nonce, ciphertext } = seal(key, plain, boundTo(organizationId, id))
      return Buffer.concat([nonce, ciphertext])
    },
    Buffer.from(JSON.stringify(text)),
  )
}

/** The text again; undefined when it was tampered with. */
export function openText(
  organizationId: string,
  keys: readonly SubjectKey[],
  sealed: Buffer,
): EntryText | undefined {
  try {
    const plain = keys.toReversed().reduce((outer, { id, key }) => {
      const layer = { nonce: outer.subarray(0, NONCE_BYTES), ciphertext: outer.subarray(NONCE_BYTES) }
      return unseal(key, layer, boundTo(organizationId, id))
    }, sealed)
    return JSON.parse(plain.toString())
  } catch (error) {
    if (error instanceof SealBroken || error instanceof SyntaxError) return undefined
    throw error
  }
}
