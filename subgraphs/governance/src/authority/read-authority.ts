import { type Actor, fail } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { AUTHORITY_COLUMNS, type AuthorityMatrix, BUILT_IN } from './authority-matrix.ts'

/** A version of the matrix, the current one unless said. NOT_FOUND when there is none of this number. */
export async function readAuthority(
  { database }: DomainServices,
  actor: Actor,
  version: number | null,
): Promise<AuthorityMatrix> {
  if (version === 0) return BUILT_IN
  const [matrix] = await database.readTenant<AuthorityMatrix>(
    actor,
    `select ${AUTHORITY_COLUMNS} from authority_version where organization_id = $1 and ($2::int is null or number = $2)
     order by number desc limit 1`,
    [actor.organizationId, version],
  )
  return matrix ?? (version === null ? BUILT_IN : fail('NOT_FOUND', { path: 'version' }))
}
