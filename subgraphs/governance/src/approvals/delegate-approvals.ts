import type { TenantTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import { isPerson } from '../access/behind.ts'
import { endOf } from '../access/held-until.ts'
import { recordingRefusal } from '../audit/record-refusal.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { line, prose } from '../input/text.ts'
import { DELEGATION_COLUMNS, type DelegationRow } from './delegation-row.ts'

const LONGEST_MS = 366 * 86_400_000
const PATTERN = /^(\*|[^*]+(\.\*)?)$/

const inputSchema = z
  .object({
    /** A person's id. */
    to: line(),
    from: z.date().nullish(),
    until: z.date().refine((date) => date.getTime() > Date.now(), 'Must be in the future.'),
    actions: z
      .array(
        line().refine((each) => PATTERN.test(each), 'An action, or the beginning of actions as money.*.'),
      )
      .max(100, 'At most 100 actions.')
      .nullish(),
    teamIds: z.array(z.string().refine(isId, 'That is not an id.')).max(100, 'At most 100 teams.').nullish(),
    reason: prose().nullish(),
  })
  .superRefine(({ from, until }, check) => {
    const start = from?.getTime() ?? Date.now()
    if (until.getTime() <= start)
      check.addIssue({ code: 'custom', path: ['until'], message: 'Must be after its beginning.' })
    else if (until.getTime() - start > LONGEST_MS)
      check.addIssue({ code: 'custom', path: ['until'], message: 'At most a year.' })
  })

/**
 * Lends the caller's own right to decide to another person for a time. What others lent the caller is not lent on.
 * Events: approval_delegation.created. Audit: an execution. SEPARATION_OF_DUTIES (a denial) for an agent or
 * oneself, BAD_INPUT.
 */
export async function delegateApprovals(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<DelegationRow> {
  const given = parseInput(inputSchema, input)
  const tried = { action: 'Mutation.delegateApprovals', subject: `principal/${given.to}` }
  return recordingRefusal(services, actor, tried, () => lend(services, actor, given))
}

async function lend(
  { database }: DomainServices,
  actor: Actor,
  { to, from, until, actions, teamIds, reason }: z.infer<typeof inputSchema>,
): Promise<DelegationRow> {
  if (!isPerson(actor)) fail('SEPARATION_OF_DUTIES', { message: 'Only a person lends the right to decide.' })
  if (to === actor.id)
    fail('SEPARATION_OF_DUTIES', { path: 'input.to', message: 'Nobody lends to themselves.' })
  const endsAt = endOf(actor, ['approvals:decide'], until)
  if (from != null && endsAt !== null && endsAt <= from)
    fail('BAD_INPUT', { path: 'input.from', message: 'Your own right to decide ends before.' })
  return database.inTenant(actor, async (tx) => {
    const delegate = await personOf(tx, to)
    const [made] = await tx.sql<DelegationRow>(
      `insert into approval_delegation (organization_id, from_id, delegator, delegator_roles, to_id, delegate, actions,
         team_ids, reason, starts_at, ends_at, credential_by)
       values ($1::uuid, $2, $3::jsonb, array(select jsonb_array_elements_text($4::jsonb)), $5, $6::jsonb,
         array(select jsonb_array_elements_text($7::jsonb)),
         array(select jsonb_array_elements_text($8::jsonb)::uuid), $9,
         coalesce($10::timestamptz, clock_timestamp()), $11::timestamptz,
         array(select jsonb_array_elements_text($12::jsonb)))
       returning ${DELEGATION_COLUMNS}`,
      actor.organizationId,
      actor.id,
      JSON.stringify(actorRef(actor)),
      JSON.stringify(actor.roles),
      to,
      JSON.stringify(delegate),
      JSON.stringify(actions ?? []),
      JSON.stringify(teamIds ?? []),
      reason ?? null,
      from ?? null,
      endsAt,
      JSON.stringify(actor.credentialBy ?? []),
    )
    if (!made) throw new Error('An insert answered with no row.')
    await tx.appendEvent({
      type: 'approval_delegation.created',
      subject: `approvalDelegation/${made.id}`,
      data: { delegationId: made.id, fromId: actor.id, toId: to, endsAt: made.endsAt.toISOString() },
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'governance',
      summary: 'The right to decide was lent.',
      details: {
        context: { from: made.from, to: delegate, actions: made.actions, teamIds: made.teamIds },
        reasoning: reason ?? '',
        outcome: `until ${made.endsAt.toISOString()}`,
      },
      significance: 'significant',
      subject: `approvalDelegation/${made.id}`,
    })
    return made
  })
}

/** A person who is kept here, or one whom an identity provider knows by that id. */
async function personOf(
  tx: TenantTransaction,
  id: string,
): Promise<{ id: string; kind: string; name: string }> {
  if (!isId(id)) return { id, kind: 'person', name: id }
  const [principal] = await tx.sql<{ kind: string; name: string; deactivated: boolean }>(
    `select kind, name, deactivated_at is not null as deactivated from principal
     where organization_id = $1::uuid and id = $2::uuid`,
    tx.actor.organizationId,
    id,
  )
  if (!principal) return { id, kind: 'person', name: id }
  if (principal.kind !== 'person')
    fail('SEPARATION_OF_DUTIES', { path: 'input.to', message: 'A person decides: it is lent to no other.' })
  if (principal.deactivated) fail('BAD_INPUT', { path: 'input.to', message: 'They are deactivated.' })
  return { id, kind: principal.kind, name: principal.name }
}
