import type { TenantTransaction } from '@tutti/prisma'
import { fail, ROLES } from '@tutti/schema'
import type { Responsible } from './escalation-level.ts'

/**
 * Checks that those who are named can be responsible. NOT_FOUND for a schedule that there is not, BAD_INPUT for an unknown
 * role; a group may come later, and a person may be known to an identity provider alone.
 */
export async function requireResponsibles(
  tx: TenantTransaction,
  named: readonly (Responsible & { path: string })[],
): Promise<void> {
  const problems = named
    .filter(({ kind, name }) => kind === 'role' && !ROLES.some((role) => role === name && role !== 'agent'))
    .map(({ path }) => ({ path, code: 'custom', message: 'There is no such role of people.' }))
  const [problem] = problems
  if (problem) fail('BAD_INPUT', { path: problem.path, message: problem.message, problems })
  const schedules = named.filter(({ kind }) => kind === 'schedule')
  if (schedules.length === 0) return
  const known = await tx.sql<{ name: string }>(
    'select name from on_call_schedule where organization_id = $1::uuid',
    tx.actor.organizationId,
  )
  const unknown = schedules.find(({ name }) => !known.some((each) => each.name === name))
  if (unknown) fail('NOT_FOUND', { path: unknown.path, message: 'There is no such on-call schedule.' })
}
