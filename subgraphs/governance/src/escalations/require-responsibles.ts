import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail, ROLES } from '@tutti/schema'
import type { Responsible } from './escalation-level.ts'

/**
 * Checks that those who are named can be responsible. NOT_FOUND for a schedule that there is not, BAD_INPUT for an unknown
 * role or a person who is deactivated; a group may come later, and a person may be known to an identity provider alone.
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
  const people = named.filter(({ kind, name }) => kind === 'person' && isId(name))
  const deactivated = await tx.sql<{ id: string }>(
    `select id from principal where organization_id = $1::uuid and deactivated_at is not null
       and id = any(array(select jsonb_array_elements_text($2::jsonb)::uuid))`,
    tx.actor.organizationId,
    JSON.stringify(people.map(({ name }) => name)),
  )
  const absent = people.find(({ name }) => deactivated.some(({ id }) => id === name.toLowerCase()))
  if (absent) fail('BAD_INPUT', { path: absent.path, message: 'They are deactivated.' })
  const schedules = named.filter(({ kind }) => kind === 'schedule')
  if (schedules.length === 0) return
  const known = await tx.sql<{ name: string }>(
    'select name from on_call_schedule where organization_id = $1::uuid',
    tx.actor.organizationId,
  )
  const unknown = schedules.find(({ name }) => !known.some((each) => each.name === name))
  if (unknown) fail('NOT_FOUND', { path: unknown.path, message: 'There is no such on-call schedule.' })
}
