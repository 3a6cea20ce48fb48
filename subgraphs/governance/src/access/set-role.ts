import { parseInput } from '@tutti/runtime'
import { type Actor, fail, isScope, ROLES, SCOPES } from '@tutti/schema'
import { z } from 'zod'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { prose } from '../input/text.ts'
import { actorRef } from './actor-ref.ts'
import { ACCESS_ROLE_COLUMNS, type AccessRoleRow } from './access-role-row.ts'
import { granting } from './granting.ts'
import { requireLasting } from './held-until.ts'
import { requireGrantable } from './require-grantable.ts'

const inputSchema = z.object({
  name: z
    .string()
    .regex(
      /^[a-z][a-z0-9_-]{0,62}$/,
      'A name is of a-z, 0-9, - and _, begins with a letter, at most 63 long.',
    )
    .refine((name) => !ROLES.some((role) => role === name), 'A built-in role is of this name.'),
  description: prose(),
  scopes: z
    .array(z.enum(SCOPES, { error: (issue) => `There is no scope ${JSON.stringify(issue.input)}.` }))
    .max(SCOPES.length, 'Each scope once.'),
})

/**
 * Makes a role of the organization, or changes what it grants: at once for whoever has it. The same again changes
 * nothing. Events: role.set. Audit: an execution. BAD_INPUT with all mistakes; FORBIDDEN for scopes, given or taken,
 * that the caller does not have.
 */
export async function setRole(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<AccessRoleRow> {
  const { name, description, ...given } = parseInput(inputSchema, input)
  const scopes = [...new Set(given.scopes)].sort()
  return granting(services, actor, 'setRole', async (tx) => {
    const { organizationId } = actor
    const [before] = await tx.sql<AccessRoleRow>(
      `select ${ACCESS_ROLE_COLUMNS} from access_role where organization_id = $1::uuid and name = $2 for update`,
      organizationId,
      name,
    )
    if (before && before.description === description && before.scopes.join() === scopes.join()) return before
    requireGrantable(actor, [...scopes, ...(before?.scopes ?? []).filter(isScope)], 'input.scopes')
    const more = scopes.filter((scope) => before && !before.scopes.includes(scope))
    if (more.length > 0) requireLasting(actor, [...more, 'access:manage'], 'input.scopes')
    const [role] = await tx.sql<AccessRoleRow>(
      `insert into access_role (organization_id, name, description, scopes, updated_by)
       values ($1::uuid, $2, $3, array(select jsonb_array_elements_text($4::jsonb)), $5::jsonb)
       on conflict (organization_id, name) do update set description = excluded.description,
         scopes = excluded.scopes, version = access_role.version + 1, updated_by = excluded.updated_by,
         updated_at = now()
       returning ${ACCESS_ROLE_COLUMNS}`,
      organizationId,
      name,
      description,
      JSON.stringify(scopes),
      JSON.stringify(actorRef(actor)),
    )
    if (!role) return fail('INTERNAL')
    await tx.appendEvent({
      type: 'role.set',
      subject: `role/${name}`,
      data: { name, version: role.version, scopes },
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `The role ${name} was set.`,
      details: {
        context: { before: before?.scopes ?? null, after: scopes },
        outcome: `version ${role.version}`,
      },
      significance: 'significant',
      subject: `role/${name}`,
    })
    return role
  })
}
