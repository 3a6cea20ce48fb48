import { parseInput } from '@tutti/runtime'
import { type Actor, fail, ROLES } from '@tutti/schema'
import { z } from 'zod'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { line } from '../input/text.ts'
import { ASSIGNMENT_COLUMNS, ASSIGNMENT_TABLES, type AssignmentRow } from './assignment-row.ts'
import { ASSIGNMENT_IN_FORCE } from './effective-access.ts'

const MOST_NAMED = 20

const inputSchema = z.object({
  name: line(63).refine(
    (name) => !ROLES.some((role) => role === name),
    'A built-in role is of this name: it stays.',
  ),
})

/**
 * Removes a role of the organization that nobody has; what was said of it stays on record. Events: role.removed. Audit: an
 * execution. NOT_FOUND; CONFLICT with who has it; BAD_INPUT for a built-in one.
 */
export async function removeRole(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<{ name: string }> {
  const { name } = parseInput(inputSchema, input)
  const { organizationId } = actor
  return database.inTenant(actor, async (tx) => {
    // Whoever assigns it holds it too: they end first, or find it gone.
    const [role] = await tx.sql<{ version: number; scopes: string[] }>(
      'select version, scopes from access_role where organization_id = $1::uuid and name = $2 for update',
      organizationId,
      name,
    )
    if (!role) return fail('NOT_FOUND', { path: 'input.name', hint: 'roles lists them.' })
    const held = await tx.sql<AssignmentRow>(
      `select ${ASSIGNMENT_COLUMNS} from ${ASSIGNMENT_TABLES}
       where a.organization_id = $1::uuid and a.role = $2 and ${ASSIGNMENT_IN_FORCE} order by a.id limit $3`,
      organizationId,
      name,
      MOST_NAMED + 1,
    )
    if (held.length > 0) {
      const whom = held
        .slice(0, MOST_NAMED)
        .map(({ id, principalName, groupName }) => `${principalName ?? `the group ${groupName}`} (${id})`)
      fail('CONFLICT', {
        path: 'input.name',
        message: 'Somebody has this role.',
        hint: `revokeAssignment takes it back from ${whom.join(', ')}${held.length > MOST_NAMED ? ' and more' : ''}.`,
      })
    }
    await tx.sql(
      'delete from access_role where organization_id = $1::uuid and name = $2 returning id',
      organizationId,
      name,
    )
    await tx.appendEvent({ type: 'role.removed', subject: `role/${name}`, data: { name } })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `The role ${name} was removed.`,
      details: { context: role, outcome: 'removed' },
      significance: 'significant',
      subject: `role/${name}`,
    })
    return { name }
  })
}
