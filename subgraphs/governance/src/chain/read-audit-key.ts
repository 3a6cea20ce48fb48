import type { DomainServices } from '../context.ts'

/** The public key that checkpoints are signed with, as PEM; null before the first. It is the installation's, of no organization. */
export async function readAuditKey({ database }: DomainServices): Promise<string | null> {
  const { rows } = await database
    .pool('api')
    .query<{ publicKey: string }>(
      'select public_key as "publicKey" from log.signing_key order by number desc limit 1',
    )
  return rows[0]?.publicKey ?? null
}
