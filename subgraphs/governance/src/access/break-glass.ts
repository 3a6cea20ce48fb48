import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { recordingRefusal } from '../audit/record-refusal.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { writeIncident } from '../incidents/write-incident.ts'
import { prose } from '../input/text.ts'
import { actorRef } from './actor-ref.ts'
import { BREAK_GLASS_COLUMNS, BREAK_GLASS_TABLES, type BreakGlassRow } from './break-glass-row.ts'
import { ASSIGNMENT_IN_FORCE } from './effective-access.ts'

const MOST_MINUTES = 240

const inputSchema = z.object({
  reason: prose(),
  minutes: z
    .number()
    .int()
    .min(1, 'At least a minute.')
    .max(MOST_MINUTES, `At most ${MOST_MINUTES} minutes.`),
})

/**
 * Gives a person who is listed for it (scope access:break-glass) the role admin until the time is over: with a key of
 * theirs that has no scopes of its own. It is an incident from then on, and to be reviewed by somebody else. Events:
 * access.glass_broken, role.assigned, incident.opened. Audit: an execution. SEPARATION_OF_DUTIES (a denial) for
 * whoever is no person kept here; CONFLICT while they have it already; BAD_INPUT.
 */
export async function breakGlass(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<BreakGlassRow> {
  const given = parseInput(inputSchema, input)
  const tried = { action: 'Mutation.breakGlass', subject: `principal/${actor.id}` }
  return recordingRefusal(services, actor, tried, () => breakFor(services, actor, given))
}

async function breakFor(
  { database }: DomainServices,
  actor: Actor,
  { reason, minutes }: z.infer<typeof inputSchema>,
): Promise<BreakGlassRow> {
  const { organizationId, id: principalId } = actor
  if (actor.kind !== 'person' || !isId(principalId))
    fail('SEPARATION_OF_DUTIES', { message: 'Only a person who is kept here breaks glass.' })
  return database.inTenant(actor, async (tx) => {
    const [person] = await tx.sql<{ active: boolean }>(
      `select exists (select from break_glass b
         join role_assignment a on a.organization_id = b.organization_id and a.id = b.assignment_id
         where b.organization_id = p.organization_id and b.principal_id = p.id and ${ASSIGNMENT_IN_FORCE}) as active
       from principal p where p.organization_id = $1::uuid and p.id = $2::uuid and p.kind = 'person' for update`,
      organizationId,
      principalId,
    )
    if (!person) fail('SEPARATION_OF_DUTIES', { message: 'Only a person who is kept here breaks glass.' })
    if (person.active) fail('CONFLICT', { message: 'The glass is broken already.' })
    const incident = await writeIncident(tx, {
      title: 'The glass was broken',
      description: reason,
      impact: 'enterprise',
      workaround: true,
      workflowId: null,
      teamId: null,
      cause: null,
      anomalyId: null,
    })
    const [assignment] = await tx.sql<{ id: string; expiresAt: Date }>(
      `insert into role_assignment (organization_id, principal_id, role, reason, expires_at, granted_by)
       values ($1::uuid, $2::uuid, 'admin', $3, clock_timestamp() + $4::int * interval '1 minute', $5::jsonb)
       returning id, expires_at as "expiresAt"`,
      organizationId,
      principalId,
      reason,
      minutes,
      JSON.stringify(actorRef(actor)),
    )
    if (!assignment || !incident) return fail('INTERNAL')
    const [made] = await tx.sql<{ id: string }>(
      `insert into break_glass (organization_id, principal_id, assignment_id, incident_id, reason, started_at)
       values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5, clock_timestamp()) returning id`,
      organizationId,
      principalId,
      assignment.id,
      incident.id,
      reason,
    )
    const id = made?.id ?? ''
    const endsAt = assignment.expiresAt.toISOString()
    await tx.appendEvent({
      type: 'access.glass_broken',
      subject: `breakGlass/${id}`,
      data: { breakGlassId: id, principalId, incidentId: incident.id, endsAt },
    })
    await tx.appendEvent({
      type: 'role.assigned',
      subject: `roleAssignment/${assignment.id}`,
      data: {
        assignmentId: assignment.id,
        role: 'admin',
        principalId,
        groupId: null,
        domainId: null,
        teamId: null,
        expiresAt: endsAt,
      },
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `${actor.name} broke the glass for ${minutes} minutes.`,
      details: { context: { incidentId: incident.id }, reasoning: reason, outcome: `until ${endsAt}` },
      significance: 'compliance',
      subject: `breakGlass/${id}`,
    })
    const [row] = await tx.sql<BreakGlassRow>(
      `select ${BREAK_GLASS_COLUMNS} from ${BREAK_GLASS_TABLES} where b.organization_id = $1::uuid and b.id = $2::uuid`,
      organizationId,
      id,
    )
    return row ?? fail('INTERNAL')
  })
}
