import type { TenantTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail, type Scope } from '@tutti/schema'
import { z } from 'zod'
import { openStrandedApprovals } from '../approvals/open-stranded-approvals.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { line, remark } from '../input/text.ts'
import { behind } from './behind.ts'
import { ASSIGNMENT_IN_FORCE, MILLISECONDS, scopesOfRole } from './effective-access.ts'
import { granting } from './granting.ts'
import { GROUP_COLUMNS, type GroupRow } from './group-row.ts'
import { requireLasting } from './held-until.ts'
import { keepAnAdministrator, lockAdministrators } from './keep-an-administrator.ts'
import { requireGrantable } from './require-grantable.ts'
import { requireOther } from './require-other.ts'

const MOST_MEMBERS = 1_000

const inputSchema = z.object({
  name: line(63),
  description: remark().nullish(),
  memberIds: z.array(z.string()).max(MOST_MEMBERS, `At most ${MOST_MEMBERS} members.`),
})

/**
 * Makes a group, or says anew who is in it; whoever is not named leaves it. What its assignments grant is theirs, or
 * theirs no more, at once; what too few of it can decide by now, administrators may. Events: group.set, approval.escalated and
 * escalation.opened. Audit: an execution. NOT_FOUND for a member that is none of the
 * organization; FORBIDDEN when its assignments grant what the caller does not have; SEPARATION_OF_DUTIES
 * for who puts themselves in; INVALID_STATE when no administrator
 * would be left, or a directory keeps the group.
 */
export async function setGroup(services: DomainServices, actor: Actor, input: unknown): Promise<GroupRow> {
  const { name, description, memberIds } = parseInput(inputSchema, input)
  const { organizationId } = actor
  const set = await granting(services, actor, 'setGroup', async (tx) => {
    await lockAdministrators(tx)
    const [made] = await tx.sql<{ id: string; isDirectorys: boolean }>(
      `insert into access_group (organization_id, name, description) values ($1::uuid, $2, coalesce($3, ''))
       on conflict (organization_id, name) do update set updated_at = now(),
         description = coalesce($3, access_group.description)
       returning id, directory_at is not null as "isDirectorys"`,
      organizationId,
      name,
      description ?? null,
    )
    if (!made) return fail('INTERNAL')
    if (made.isDirectorys) {
      fail('INVALID_STATE', {
        path: 'input.name',
        message: 'The directory says who is in this group.',
        hint: 'Change it there, or remove it from what is provisioned.',
      })
    }
    const scopes = await scopesOfGroup(tx, made.id)
    requireGrantable(actor, scopes, 'input.memberIds')
    const wanted = await requireMembers(tx, name, memberIds)
    const change = (text: string, ...more: string[]) =>
      tx.sql<{ id: string }>(text, organizationId, name, JSON.stringify(wanted), ...more)
    const { added, removed } = await keepAnAdministrator(tx, 'input.memberIds', async () => ({
      added: await change(
        `update principal set groups = array_append(groups, $2), groups_given = coalesce(groups_given, '{}')
           || jsonb_build_object($2::text, jsonb_build_object('by', $4::jsonb, 'at', ${MILLISECONDS('clock_timestamp()')}))
         where organization_id = $1::uuid and $3::jsonb ? id::text and not $2 = any(groups) returning id`,
        JSON.stringify(behind(actor)),
      ),
      removed: await change(
        `update principal set groups = array_remove(groups, $2), groups_given = groups_given - $2::text
         where organization_id = $1::uuid and not $3::jsonb ? id::text and $2 = any(groups) returning id`,
      ),
    }))
    if (added.length > 0) requireLasting(actor, [...scopes, 'access:manage'], 'input.memberIds')
    requireOther(
      actor,
      added.map(({ id }) => id),
      'input.memberIds',
    )
    const data = {
      groupId: made.id,
      name,
      added: added.map(({ id }) => id).sort(),
      removed: removed.map(({ id }) => id).sort(),
    }
    await tx.appendEvent({ type: 'group.set', subject: `group/${made.id}`, data })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `The group ${name} was set.`,
      details: { context: data, outcome: `${wanted.length} members` },
      significance: 'significant',
      subject: `group/${made.id}`,
    })
    const [group] = await tx.sql<GroupRow>(
      `select ${GROUP_COLUMNS} from access_group g where g.organization_id = $1::uuid and g.id = $2::uuid`,
      organizationId,
      made.id,
    )
    return group ?? fail('INTERNAL')
  })
  await openStrandedApprovals(services, actor, { groups: [name] })
  return set
}

/** What whoever is in a group has by that now. */
export async function scopesOfGroup(tx: TenantTransaction, groupId: string): Promise<Scope[]> {
  const rows = await tx.sql<{ role: string; scopes: string[] | null }>(
    `select a.role, r.scopes from role_assignment a
     left join access_role r on r.organization_id = a.organization_id and r.name = a.role
     where a.organization_id = $1::uuid and a.group_id = $2::uuid and ${ASSIGNMENT_IN_FORCE}`,
    tx.actor.organizationId,
    groupId,
  )
  return rows.flatMap(({ role, scopes }) => scopesOfRole(role, scopes))
}

/** The same ids, each of a principal and once. They and whoever is in the group are locked, in the order of their ids. */
async function requireMembers(
  tx: TenantTransaction,
  group: string,
  ids: readonly string[],
): Promise<string[]> {
  const unique = [...new Set(ids)]
  const found = await tx.sql<{ id: string }>(
    `select id from principal where organization_id = $1::uuid and ($2::jsonb ? id::text or $3 = any(groups))
     order by id for update`,
    tx.actor.organizationId,
    JSON.stringify(unique.filter(isId)),
    group,
  )
  const known = new Set(found.map(({ id }) => id))
  const missing = ids.findIndex((id) => !known.has(id))
  if (missing >= 0) fail('NOT_FOUND', { path: `input.memberIds.${missing}` })
  return unique
}
