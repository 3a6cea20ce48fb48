import type { TenantTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { ApprovalRow } from '../approvals/approval-row.ts'
import { openStrandedApprovals } from '../approvals/open-stranded-approvals.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { prose } from '../input/text.ts'
import { endSessionsBy } from '../sessions/end-sessions.ts'
import { keepAnAdministrator } from './keep-an-administrator.ts'
import { PRINCIPAL_COLUMNS, type PrincipalRow } from './principal-row.ts'

const inputSchema = z.object({ id: z.string(), reason: prose().nullish() })

/** Who deactivates or reactivates somebody: an administrator here, or the directory that keeps them. */
export type Deactivator = 'administrator' | 'directory'

/** Somebody who is kept out from now on, and what came of it. */
export interface Deactivated {
  principal: PrincipalRow
  sessionsEnded: number
  /** Which nobody else could decide: administrators may from now on. */
  openedApprovals: ApprovalRow[]
}

/**
 * Lets nothing that is somebody's open anything: their sessions end, their keys open nothing, and they are asked nothing;
 * all of it stays on record. What only they could decide, administrators may. Again, it looks for such approvals once more.
 * Events: principal.deactivated, credential.revoked for each session, approval.escalated and escalation.opened. Audit: an
 * execution. NOT_FOUND; INVALID_STATE when it is the last administrator.
 */
export async function deactivatePrincipal(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<Deactivated> {
  const { id, reason } = parseInput(inputSchema, input)
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const done = await database.inTenant(actor, async (tx) => {
    const sessionsEnded = await deactivate(tx, id, 'administrator', reason ?? null)
    return { principal: await readPrincipal(tx, id), sessionsEnded }
  })
  return { ...done, openedApprovals: await openStrandedApprovals({ database }, actor, { principalId: id }) }
}

/** As {@link deactivatePrincipal}, in the caller's transaction and without the approvals; answers how many sessions ended. */
export async function deactivate(
  tx: TenantTransaction,
  id: string,
  by: Deactivator,
  reason: string | null,
): Promise<number> {
  const changed = await keepAnAdministrator(tx, 'input.id', () =>
    tx.sql<{ name: string }>(
      `update principal set deactivated_at = clock_timestamp(), deactivated_by = $3
       where organization_id = $1::uuid and id = $2::uuid and deactivated_at is null returning name`,
      tx.actor.organizationId,
      id,
      by,
    ),
  )
  const [principal] = changed
  if (!principal) {
    // An administrator's word goes before a directory's.
    if (by === 'administrator') {
      await tx.sql(
        `update principal set deactivated_by = $3
         where organization_id = $1::uuid and id = $2::uuid and deactivated_by = 'directory' returning id`,
        tx.actor.organizationId,
        id,
        by,
      )
    }
    return 0
  }
  const sessionsEnded = await endSessionsBy(tx, 'principal_id', id)
  await tx.appendEvent({
    type: 'principal.deactivated',
    subject: `principal/${id}`,
    data: { principalId: id, by },
  })
  await writeAuditEntry(tx, {
    actionType: 'execution',
    domain: 'access',
    summary: `${principal.name} was deactivated.`,
    details: {
      context: { principalId: id, by, sessionsEnded },
      reasoning: reason ?? '',
      outcome: 'deactivated',
    },
    significance: 'significant',
    subject: `principal/${id}`,
  })
  return sessionsEnded
}

/** A principal of the organization; NOT_FOUND with the path `input.id`. */
export async function readPrincipal(tx: TenantTransaction, id: string): Promise<PrincipalRow> {
  const [principal] = await tx.sql<PrincipalRow>(
    `select ${PRINCIPAL_COLUMNS} from principal p where p.organization_id = $1::uuid and p.id = $2::uuid`,
    tx.actor.organizationId,
    id,
  )
  return principal ?? fail('NOT_FOUND', { path: 'input.id' })
}
