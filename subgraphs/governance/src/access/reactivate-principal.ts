import type { TenantTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { prose } from '../input/text.ts'
import { type Deactivator, readPrincipal } from './deactivate-principal.ts'
import { effectiveAccess } from './effective-access.ts'
import { granting } from './granting.ts'
import { requireLasting } from './held-until.ts'
import type { PrincipalRow } from './principal-row.ts'
import { readPrincipals } from './read-principal.ts'
import { requireGrantable } from './require-grantable.ts'

const inputSchema = z.object({ id: z.string(), reason: prose().nullish() })

/**
 * Lets somebody in again, with the keys, roles and groups they have by now; sessions that ended stay over. Again, it changes
 * nothing. Events: principal.reactivated. Audit: an execution. NOT_FOUND; FORBIDDEN when they may more than the caller.
 */
export async function reactivatePrincipal(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<PrincipalRow> {
  const { id, reason } = parseInput(inputSchema, input)
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return granting(services, actor, 'reactivatePrincipal', async (tx) => {
    await tx.sql(
      'select id from principal where organization_id = $1::uuid and id = $2::uuid for no key update',
      actor.organizationId,
      id,
    )
    const [principal] = await readPrincipals(tx, [id], () => 'input.id')
    const access = effectiveAccess(principal?.roles ?? [], principal?.held ?? [])
    const opens = [...access.scopes, ...access.within.flatMap(({ scopes }) => scopes)]
    requireGrantable(actor, opens, 'input.id')
    requireLasting(actor, [...opens, 'access:manage'], 'input.id')
    await reactivate(tx, id, 'administrator', reason ?? null)
    return readPrincipal(tx, id)
  })
}

/** As {@link reactivatePrincipal}, in the caller's transaction, without looking at what they may. */
export async function reactivate(
  tx: TenantTransaction,
  id: string,
  by: Deactivator,
  reason: string | null,
): Promise<void> {
  const [principal] = await tx.sql<{ name: string }>(
    `update principal set deactivated_at = null, deactivated_by = null
     where organization_id = $1::uuid and id = $2::uuid and deactivated_at is not null returning name`,
    tx.actor.organizationId,
    id,
  )
  if (!principal) return
  await tx.appendEvent({
    type: 'principal.reactivated',
    subject: `principal/${id}`,
    data: { principalId: id, by },
  })
  await writeAuditEntry(tx, {
    actionType: 'execution',
    domain: 'access',
    summary: `${principal.name} was reactivated.`,
    details: { context: { principalId: id, by }, reasoning: reason ?? '', outcome: 'active' },
    significance: 'significant',
    subject: `principal/${id}`,
  })
}
