import type { TenantTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail, ROLES } from '@tutti/schema'
import { z } from 'zod'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { line, prose } from '../input/text.ts'
import { actorRef } from './actor-ref.ts'
import { ASSIGNMENT_COLUMNS, ASSIGNMENT_TABLES, type AssignmentRow } from './assignment-row.ts'
import { ASSIGNMENT_IN_FORCE, scopesOfRole } from './effective-access.ts'
import { granting } from './granting.ts'
import { endOf } from './held-until.ts'
import { requireGrantable } from './require-grantable.ts'
import { requireOther } from './require-other.ts'

const inputSchema = z
  .object({
    role: line(63),
    principalId: z.string().nullish(),
    groupId: z.string().nullish(),
    domainId: z.string().nullish(),
    teamId: z.string().nullish(),
    expiresAt: z
      .date()
      .refine((date) => date.getTime() > Date.now(), 'Must be in the future.')
      .nullish(),
    reason: prose().nullish(),
  })
  .superRefine(({ principalId, groupId, domainId, teamId }, check) => {
    if ((principalId == null) === (groupId == null))
      check.addIssue({ code: 'custom', path: ['principalId'], message: 'One of principalId and groupId.' })
    if (domainId != null && teamId != null)
      check.addIssue({ code: 'custom', path: ['teamId'], message: 'One of domainId and teamId, or none.' })
  })

/**
 * Gives a role to a principal or a group: everywhere, or in one domain or team; for ever, or until a moment, and no longer
 * than the caller's own right lasts. It counts at once. Events: role.assigned. Audit: an execution. NOT_FOUND with the path of what there is not; FORBIDDEN for a
 * role that grants what the caller does not have everywhere, SEPARATION_OF_DUTIES for one that they do not have and would get.
 */
export async function assignRole(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<AssignmentRow> {
  const {
    role,
    principalId,
    groupId,
    domainId,
    teamId,
    reason,
    expiresAt: asked,
  } = parseInput(inputSchema, input)
  const { organizationId } = actor
  return granting(services, actor, 'assignRole', async (tx) => {
    const scopes = scopesOfRole(role, await requireRole(tx, role))
    requireGrantable(actor, scopes, 'input.role')
    const expiresAt = endOf(actor, [...scopes, 'access:manage'], asked)
    await requireRow(tx, 'principal', principalId, 'input.principalId')
    await requireRow(tx, 'access_group', groupId, 'input.groupId')
    await requireRow(tx, 'domain', domainId, 'input.domainId')
    await requireRow(tx, 'team', teamId, 'input.teamId')
    const newHolders = await holdersOf(tx, { role, principalId, groupId, domainId, teamId, expiresAt })
    requireOther(actor, newHolders, principalId == null ? 'input.groupId' : 'input.principalId')
    const [made] = await tx.sql<{ id: string }>(
      `insert into role_assignment (organization_id, principal_id, group_id, role, domain_id, team_id, reason,
         expires_at, granted_by)
       values ($1::uuid, $2::uuid, $3::uuid, $4, $5::uuid, $6::uuid, $7, $8::timestamptz, $9::jsonb) returning id`,
      organizationId,
      principalId ?? null,
      groupId ?? null,
      role,
      domainId ?? null,
      teamId ?? null,
      reason ?? null,
      expiresAt ?? null,
      // With who made their key, and may be behind it: it names nobody to decide what those asked for.
      JSON.stringify({ ...actorRef(actor), credentialBy: actor.credentialBy }),
    )
    const assignment = await readAssignment(tx, made?.id ?? '')
    await tx.appendEvent({
      type: 'role.assigned',
      subject: `roleAssignment/${assignment.id}`,
      data: { ...assignmentRef(assignment), expiresAt: expiresAt?.toISOString() ?? null },
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `${assignment.principalName ?? assignment.groupName} was given the role ${role}.`,
      details: {
        context: { domainId, teamId, expiresAt: expiresAt ?? null },
        reasoning: reason ?? '',
        outcome: 'assigned',
      },
      significance: 'significant',
      subject: `roleAssignment/${assignment.id}`,
      ...(principalId == null ? {} : { dataSubject: `person/${principalId}` }),
    })
    return assignment
  })
}

interface Given {
  role: string
  principalId?: string | null | undefined
  groupId?: string | null | undefined
  domainId?: string | null | undefined
  teamId?: string | null | undefined
  expiresAt?: Date | null | undefined
}

/** Who would get a role by an assignment and does not have it there, or everywhere, for as long. */
async function holdersOf(tx: TenantTransaction, given: Given): Promise<string[]> {
  const { role, principalId, groupId, domainId, teamId, expiresAt } = given
  const holders = await tx.sql<{ id: string }>(
    `select p.id from principal p where p.organization_id = $1::uuid
       and (p.id = $3::uuid or exists (select from access_group g where g.organization_id = $1::uuid and g.id = $4::uuid
         and g.name = any(p.groups)))
       and not $2 = any(p.roles)
       and not exists (select from role_assignment a
         left join access_group g on g.organization_id = a.organization_id and g.id = a.group_id
         where a.organization_id = $1::uuid and a.role = $2 and ${ASSIGNMENT_IN_FORCE}
           and (a.principal_id = p.id or g.name = any(p.groups))
           and ((a.domain_id is null and a.team_id is null)
             or (a.domain_id is not distinct from $5::uuid and a.team_id is not distinct from $6::uuid))
           and (a.expires_at is null or a.expires_at >= $7::timestamptz))`,
    tx.actor.organizationId,
    role,
    principalId ?? null,
    groupId ?? null,
    domainId ?? null,
    teamId ?? null,
    expiresAt ?? null,
  )
  return holders.map(({ id }) => id)
}

/** An assignment of the organization; NOT_FOUND with the path `input.id`. */
export async function readAssignment(tx: TenantTransaction, id: string): Promise<AssignmentRow> {
  const [assignment] = await tx.sql<AssignmentRow>(
    `select ${ASSIGNMENT_COLUMNS} from ${ASSIGNMENT_TABLES} where a.organization_id = $1::uuid and a.id = $2::uuid`,
    tx.actor.organizationId,
    id,
  )
  return assignment ?? fail('NOT_FOUND', { path: 'input.id' })
}

/** An assignment as events bear it. */
export const assignmentRef = ({ id, role, principalId, groupId, domainId, teamId }: AssignmentRow) => ({
  assignmentId: id,
  role,
  principalId,
  groupId,
  domainId,
  teamId,
})

/** The scopes of a tenant's own role, locked so that it does not grow meanwhile; null for a built-in one. */
export async function requireRole(
  tx: TenantTransaction,
  role: string,
  path = 'input.role',
): Promise<string[] | null> {
  if (ROLES.some((builtIn) => builtIn === role)) return null
  const [own] = await tx.sql<{ scopes: string[] }>(
    'select scopes from access_role where organization_id = $1::uuid and name = $2 for share',
    tx.actor.organizationId,
    role,
  )
  return (
    own?.scopes ?? fail('NOT_FOUND', { path, message: 'There is no such role.', hint: 'roles lists them.' })
  )
}

async function requireRow(
  tx: TenantTransaction,
  table: 'principal' | 'access_group' | 'domain' | 'team',
  id: string | null | undefined,
  path: string,
): Promise<void> {
  if (id == null) return
  const rows = isId(id)
    ? await tx.sql(
        `select 1 as one from ${table} where organization_id = $1::uuid and id = $2::uuid`,
        tx.actor.organizationId,
        id,
      )
    : []
  if (rows.length === 0) fail('NOT_FOUND', { path })
}
