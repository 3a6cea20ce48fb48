import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import type { Database } from '@tutti/prisma'
import type { Kms } from '@tutti/runtime'

/** What checkpoints are signed with. */
export interface SigningKey {
  keyId: string
  privateKey: KeyObject
}

const BELONGS_TO = ['audit signing key']
const SHOWN = 16

/**
 * The installation's key, made when there is none; of two processes that make it at once, both take the first one's. The
 * database keeps its seed, wrapped by the master key. Throws MasterKeyMissing when that one is not known here.
 */
export async function signingKey(database: Database, kms: Kms): Promise<SigningKey> {
  const pool = database.pool('sealer')
  const read = async (): Promise<SigningKey | undefined> => {
    const { rows } = await pool.query<{
      keyId: string
      publicKey: string
      masterKey: string
      wrapped: Buffer
    }>(
      `select key_id as "keyId", public_key as "publicKey", master_key as "masterKey", wrapped
       from log.signing_key order by number desc limit 1`,
    )
    const [row] = rows
    if (!row) return undefined
    const seed = await kms.unwrap(row, BELONGS_TO)
    const jwk = createPublicKey(row.publicKey).export({ format: 'jwk' })
    return {
      keyId: row.keyId,
      privateKey: createPrivateKey({ key: { ...jwk, d: seed.toString('base64url') }, format: 'jwk' }),
    }
  }
  const existing = await read()
  if (existing) return existing
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { d } = privateKey.export({ format: 'jwk' })
  if (d === undefined) throw new Error('A private key without its secret.')
  const { masterKey, wrapped } = await kms.wrap(Buffer.from(d, 'base64url'), BELONGS_TO)
  await pool.query(
    `insert into log.signing_key (number, key_id, public_key, master_key, wrapped) values (1, $1, $2, $3, $4)
     on conflict (number) do nothing`,
    [keyIdOf(publicKey), publicKey.export({ type: 'spki', format: 'pem' }), masterKey, wrapped],
  )
  const made = await read()
  if (!made) throw new Error('A signing key was made and is not there.')
  return made
}

/** Names a public key: the beginning of SHA-256 over its DER form, hex. */
const keyIdOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, SHOWN)
