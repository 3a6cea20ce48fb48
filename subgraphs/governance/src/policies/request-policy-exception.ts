import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import type { DomainServices } from '../context.ts'
import { line, prose } from '../input/text.ts'
import { lockPolicy } from './lock-policy.ts'
import { actionPattern } from './policy-input.ts'
import { EXCEPTION_COLUMNS, type PolicyExceptionRow, type PolicyVersionRow } from './policy-row.ts'
import { canExcept } from './policy-version-status.ts'
import { recordExceptionChange } from './record-exception-change.ts'

const MOST_DAYS = 90
const DAY_MS = 86_400_000
const names = () => z.array(line()).max(100, 'At most 100.').nullish()

const inputSchema = z
  .object({
    policyId: z.string(),
    /** Unless given, that of now. */
    version: z.int().nullish(),
    reason: prose(),
    actors: names(),
    actions: z.array(actionPattern()).max(50, 'At most 50.').nullish(),
    resources: names(),
    startsAt: z.date().nullish(),
    expiresAt: z.date().refine((date) => {
      const left = date.getTime() - Date.now()
      return left > 0 && left <= MOST_DAYS * DAY_MS
    }, `Must be in the future, within ${MOST_DAYS} days.`),
  })
  .refine(({ actors, actions, resources }) => [actors, actions, resources].some((each) => each?.length), {
    path: ['actors'],
    message: 'Say for whom, for which actions or for which resources.',
    when: () => true,
  })
  .refine(({ startsAt, expiresAt }) => !startsAt || startsAt.getTime() < expiresAt.getTime(), {
    path: ['startsAt'],
    message: 'Must be before expiresAt.',
  })

/**
 * Asks that a version of a policy (the one in force, or the newest in the making, unless said) not hold for somebody or
 * something, for a time; it holds until somebody else approves, and so does each that takes its place.
 * Events: policy_exception.changed. Audit: a decision. NOT_FOUND; INVALID_STATE when the version is over; BAD_INPUT with all
 * mistakes.
 */
export async function requestPolicyException(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<PolicyExceptionRow> {
  const { policyId, version, reason, actors, actions, resources, startsAt, expiresAt } = parseInput(
    inputSchema,
    input,
  )
  return database.inTenant(actor, async (tx) => {
    const { policy, versions } = await lockPolicy(tx, policyId, 'input.policyId')
    const { number } = versionFor(versions, version ?? null)
    const [exception] = await tx.sql<PolicyExceptionRow>(
      `insert into policy_exception (organization_id, policy_id, reason, actors, actions, resources, starts_at, expires_at,
         requested_by, version)
       values ($1::uuid, $2::uuid, $3, array(select jsonb_array_elements_text($4::jsonb)),
         array(select jsonb_array_elements_text($5::jsonb)), array(select jsonb_array_elements_text($6::jsonb)),
         $7::timestamptz, $8::timestamptz, $9::jsonb, $10::int)
       returning ${EXCEPTION_COLUMNS}`,
      actor.organizationId,
      policyId,
      reason,
      JSON.stringify(actors ?? []),
      JSON.stringify(actions ?? []),
      JSON.stringify(resources ?? []),
      startsAt ?? null,
      expiresAt,
      JSON.stringify(actorRef(actor)),
      number,
    )
    if (!exception) return fail('INTERNAL')
    await recordExceptionChange(tx, policy, exception, 'requested')
    return exception
  })
}

/** `versions`: the newest first. */
function versionFor(versions: readonly PolicyVersionRow[], asked: number | null): PolicyVersionRow {
  if (asked === null)
    return (
      versions.find(({ status }) => status === 'active') ??
      versions.find(canExcept) ??
      fail('INVALID_STATE', { path: 'input.policyId', hint: 'Nothing of it is in force or in the making.' })
    )
  const version = versions.find(({ number }) => number === asked)
  if (!version) return fail('NOT_FOUND', { path: 'input.version' })
  return canExcept(version) ? version : fail('INVALID_STATE', { path: 'input.version', hint: 'It is over.' })
}
