import type { SqlTransaction } from '@tutti/prisma'
import { fail } from '@tutti/schema'

const ADMINISTRATORS_LOCK = 7_885_046

const AS_ADMIN = `a.organization_id = $1::uuid and a.role = 'admin' and a.revoked_at is null
  and a.expires_at is null and a.domain_id is null and a.team_id is null`

/** Whoever is active, has the role admin everywhere and for ever, and a key that opens and does not end by itself. */
const ADMINISTRATORS = `select count(*)::int as count from principal p
  where p.organization_id = $1::uuid and p.deactivated_at is null
    and ('admin' = any(p.roles) or p.id in (select a.principal_id from role_assignment a where ${AS_ADMIN})
      or p.groups && array(select g.name from role_assignment a
        join access_group g on g.organization_id = a.organization_id and g.id = a.group_id where ${AS_ADMIN}))
    and exists (select from api_key k where k.organization_id = p.organization_id and k.principal_id = p.id
      and k.revoked_at is null and k.expires_at is null and cardinality(k.scopes) = 0)`

/**
 * Has whoever else takes rights away in the organization wait. For those who lock principals or groups besides, before they
 * do: who waits here holds none.
 */
export async function lockAdministrators(tx: SqlTransaction): Promise<void> {
  await tx.sql(
    `select pg_advisory_xact_lock($1::int, hashtext($2))::text`,
    ADMINISTRATORS_LOCK,
    tx.actor.organizationId,
  )
}

/**
 * Does what takes rights away, unless it takes them from the last administrator: INVALID_STATE then, and nothing is
 * changed. One at a time in an organization, so that two do not remove each other.
 */
export async function keepAnAdministrator<Result>(
  tx: SqlTransaction,
  path: string,
  act: () => Promise<Result>,
): Promise<Result> {
  await lockAdministrators(tx)
  const { organizationId } = tx.actor
  const count = async (): Promise<number> =>
    (await tx.sql<{ count: number }>(ADMINISTRATORS, organizationId))[0]?.count ?? 0
  const before = await count()
  const result = await act()
  if (before > 0 && (await count()) === 0) {
    fail('INVALID_STATE', {
      path,
      message: 'That would leave the organization without an administrator.',
      hint: 'Give another principal the role admin, without an end, and a key first.',
    })
  }
  return result
}
