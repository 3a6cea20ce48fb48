import { randomUUID } from 'node:crypto'
import { isId } from '@tutti/runtime'
import { type Actor, actorSchema, isAlwaysGoverned, type Place } from '@tutti/schema'
import { z } from 'zod'
import { APPROVAL_COLUMNS, type ApprovalRow } from '../approvals/approval-row.ts'
import { isApproved, isOpen } from '../approvals/approval-status.ts'
import { digestOf } from '../approvals/digest-of.ts'
import { approvedDigest, useApproval } from '../approvals/use-approval.ts'
import { recordDenial } from '../audit/record-denial.ts'
import { authorize } from '../authority/authorize.ts'
import { decisionLogOf } from '../authority/decision-log.ts'
import { type Authorization, MUTATION } from '../authority/rule.ts'
import { rulesMemoryOf } from '../authority/rules-memory.ts'
import { strictest } from '../authority/strictest.ts'
import type { DomainServices } from '../context.ts'
import { jsonObject } from '../input/json-value.ts'
import { askPeople, readApprovals } from './ask-people.ts'
import { demandsOf } from './demands.ts'
import { placesOf } from './places-of.ts'
import { type Standing, standsAt } from './stands-at.ts'

const mutationSchema = z.object({
  /** Its name in the answer, by which refusals speak of it. */
  key: z.string(),
  /** As `setBudget`. */
  field: z.string(),
  /** Of the catalogue. */
  action: z.string(),
  /** Without secrets; the same for the same secrets. */
  arguments: z.record(z.string(), z.unknown()),
  /** US dollars; null: not known. */
  amount: z.number().nullable(),
})

/** A mutation that an operation is about to do. */
export type MutationCall = z.infer<typeof mutationSchema>

/** The body of the signed call by which a gateway in another process asks. */
export const mutationCallsSchema = z.object({
  actor: actorSchema,
  mutations: z.array(mutationSchema),
  approvals: z.array(z.string()),
})

/** Why a mutation is not done. */
export interface MutationRefusal {
  key: string
  code: 'FORBIDDEN' | 'APPROVAL_REQUIRED' | 'BAD_INPUT'
  hint: string
  /** The question that people are asked; of APPROVAL_REQUIRED. */
  approvalId: string | null
}

/** A mutation with what was ruled, and what exactly people would be asked. */
interface Ruled extends MutationCall {
  authorization: Authorization
  asked: { mutation: string; arguments: Record<string, unknown>; versions?: Standing[] }
  digest: string
  /** Why they cannot be asked about these arguments; null: they can. */
  mistake: string | null
}

/**
 * Asks authority and policies whether an actor may do the mutations of one operation now, and people where those say so:
 * who was given a yes says its id, and a yes counts once, for who asked, for exactly the arguments that were approved (of a
 * start also for the version that they name), and only when nothing forbids them since. Either all may be done (no refusals) or none is. Events: approval.requested,
 * escalation.opened, approval.used, authority.informed. Audit: denials, and what was done as approved.
 */
export async function authorizeMutations(
  services: DomainServices,
  actor: Actor,
  { mutations, approvals }: { mutations: readonly MutationCall[]; approvals: readonly string[] },
): Promise<MutationRefusal[]> {
  const { matrix, sources } = await rulesMemoryOf(services.database).rulesOf(actor)
  const isRuled = matrix.version > 0 || sources.length > 0
  if (!isRuled && !mutations.some(({ action }) => isAlwaysGoverned(action))) return []
  const places = await placesOf(services, actor, mutations)
  const ruled = await Promise.all(
    mutations.map((mutation, index) => ruleOn(services, actor, mutation, places[index] ?? [])),
  )
  await decisionLogOf(services.database).flush()
  const held = ruled.filter(({ authorization }) => authorization.ruling !== 'allow')
  if (held.length === 0) return letThrough(services, actor, ruled)
  const denied = held.filter(({ authorization }) => authorization.ruling === 'deny')
  if (denied.length > 0) {
    return Promise.all(
      denied.map((each) => deny(services, actor, each, each.authorization.reasons.join(' '))),
    )
  }
  const unfit = held.filter(({ mistake }) => mistake !== null)
  if (unfit.length > 0) return unfit.map((each) => refuse(each, 'BAD_INPUT', each.mistake ?? ''))
  const versions = await standsAt(services, actor, held)
  const governed = held.map((each, place) => withVersions(each, versions[place] ?? []))
  const twice = governed.filter((each, place) =>
    governed.slice(0, place).some(({ digest }) => digest === each.digest),
  )
  if (twice.length > 0)
    return twice.map((each) => refuse(each, 'BAD_INPUT', 'Twice the same in one operation: do it in two.'))
  const ids = approvals.filter(isId)
  const given = ids.length > 0 ? await readApprovals(services, actor, 'id', ids) : []
  const { yes, refusals } = await match(services, actor, governed, given, approvals)
  if (refusals.length > 0) return refusals
  const by = `${MUTATION}/${randomUUID()}`
  for (const [approvalId, { digest, ...each }] of yes) {
    const use = await useApproval(services, actor, { approvalId, digest, by })
    if (!use.allowed) return [refuse(each, 'FORBIDDEN', `Approval ${approvalId}: ${use.reason}.`)]
  }
  return letThrough(services, actor, ruled)
}

/** Rules on it in each of the places that it is about; the strictest ruling is the one. */
async function ruleOn(
  services: DomainServices,
  actor: Actor,
  mutation: MutationCall,
  places: readonly Place[],
): Promise<Ruled> {
  const { field, action, amount } = mutation
  const storable = jsonObject().safeParse(mutation.arguments)
  const given = storable.data ?? mutation.arguments
  const authorization = strictest(
    await Promise.all(
      places.map(({ domainId, teamId }) =>
        authorize(services, actor, {
          action,
          resource: { type: MUTATION, name: field, domain: domainId, team: teamId },
          arguments: given,
          context: { amount },
        }),
      ),
    ),
  )
  const asked = { mutation: field, arguments: given }
  return {
    ...mutation,
    authorization,
    asked,
    digest: storable.success ? digestOf({ action, arguments: asked }) : '',
    mistake: storable.success ? null : (storable.error.issues[0]?.message ?? 'Cannot be asked about.'),
  }
}

/** What starts something is asked about with what that is now: whoever changes it since has no yes to it. */
function withVersions(ruled: Ruled, versions: Standing[]): Ruled {
  if (versions.length === 0) return ruled
  const asked = { ...ruled.asked, versions }
  return { ...ruled, asked, digest: digestOf({ action: ruled.action, arguments: asked }) }
}

/** Which yes is for which mutation; what has none is refused, and asked unless a yes was given that is for something else. */
async function match(
  services: DomainServices,
  actor: Actor,
  governed: readonly Ruled[],
  given: readonly ApprovalRow[],
  approvals: readonly string[],
): Promise<{ yes: Map<string, Ruled>; refusals: MutationRefusal[] }> {
  const yes = new Map<string, Ruled>()
  const refusals: MutationRefusal[] = []
  const open: Ruled[] = []
  const left = new Set(approvals)
  for (const each of governed) {
    const own = given.filter((approval) => isFor(approval, actor, each))
    const usable = own.find((approval) => isApproved(approval) && approval.usedBy === null)
    const waiting = own.find(isOpen)
    if (usable) yes.set(usable.id, each)
    else if (waiting) refusals.push(await ask(services, actor, each))
    else open.push(each)
    const found = usable ?? waiting
    if (found) left.delete(found.id)
  }
  const [other] = left
  for (const each of open) {
    const known = given.find(({ id }) => id === other)
    refusals.push(
      other === undefined
        ? await ask(services, actor, each)
        : await deny(services, actor, each, `Approval ${other}: ${whyNot(known, actor, each)}`),
    )
  }
  return { yes, refusals }
}

/**
 * Whether this actor was made to ask for exactly this, of those whom the rules ask for now. Of what somebody asks by
 * themselves they choose who decides.
 */
const isFor = (approval: ApprovalRow, actor: Actor, ruled: Ruled): boolean =>
  approval.requestKey.replace(/^escalation\//, '').startsWith(keyOf(actor, ruled)) &&
  (approvedDigest(approval) ?? approval.digest) === ruled.digest

/** What the keys of an actor's questions about a mutation begin with, by the rules that hold. */
const keyOf = (actor: Actor, { digest, authorization }: Ruled): string =>
  `${MUTATION}/${actor.id}/${digest}/${demandsOf(authorization)}/`

function whyNot(approval: ApprovalRow | undefined, actor: Actor, ruled: Ruled): string {
  if (!approval) return 'there is none of this id.'
  if (approval.requestedBy.id !== actor.id) return 'somebody else asked for it.'
  if ((approvedDigest(approval) ?? approval.digest) !== ruled.digest)
    return 'it is for something else than this mutation with these arguments, or what they name is another version by now.'
  if (!isFor(approval, actor, ruled)) return 'the rules ask others by now; without it you ask anew.'
  if (approval.usedBy !== null) return 'it is used up; without it you ask anew.'
  return `it is ${approval.status}${approval.comment === null ? '.' : `: ${approval.comment}`}`
}

/** The question about this that is open or answered and not used, or a new one. */
async function ask(services: DomainServices, actor: Actor, ruled: Ruled): Promise<MutationRefusal> {
  const { field, action, amount, authorization, asked } = ruled
  const last = await readLast(services, actor, ruled)
  const isLive = last && (isOpen(last) || (isApproved(last) && last.usedBy === null))
  const reason = authorization.reasons.join(' ')
  const approval = isLive
    ? last
    : await askPeople(services, actor, authorization, {
        // Two who ask at once follow the same one, and share a question.
        requestKey: `${keyOf(actor, ruled)}${last?.id ?? ''}`,
        title: field,
        action,
        arguments: asked,
        risk: null,
        costUsd: amount !== null && amount >= 0 ? amount : null,
        reason,
        allowsChanges: false,
        stages: authorization.stages,
        runId: null,
        taskId: null,
      })
  return { ...refuse(ruled, 'APPROVAL_REQUIRED', reason), approvalId: approval.id }
}

async function readLast(
  { database }: DomainServices,
  actor: Actor,
  ruled: Ruled,
): Promise<ApprovalRow | undefined> {
  const key = keyOf(actor, ruled)
  const [last] = await database.readTenant<ApprovalRow>(
    actor,
    `select ${APPROVAL_COLUMNS} from approval
     where organization_id = $1 and digest = $2 and (starts_with(request_key, $3) or starts_with(request_key, $4))
     order by created_at desc, id desc limit 1`,
    [actor.organizationId, ruled.digest, key, `escalation/${key}`],
  )
  return last
}

async function letThrough(
  { database }: DomainServices,
  actor: Actor,
  ruled: readonly Ruled[],
): Promise<MutationRefusal[]> {
  const told = ruled.flatMap(({ field, action, authorization: { inform } }) =>
    inform === null ? [] : [{ field, action, level: inform }],
  )
  if (told.length === 0) return []
  await database.inTenant(actor, async (tx) => {
    for (const { field, action, level } of told) {
      await tx.appendEvent({
        type: 'authority.informed',
        subject: `${MUTATION}/${field}`,
        data: { action, level, runId: null, taskId: null, title: field },
      })
    }
  })
  return []
}

async function deny(
  services: DomainServices,
  actor: Actor,
  call: MutationCall,
  hint: string,
): Promise<MutationRefusal> {
  await recordDenial(services, actor, {
    action: `Mutation.${call.field}`,
    code: 'FORBIDDEN',
    reason: `${call.action}: ${hint}`,
  })
  return refuse(call, 'FORBIDDEN', hint)
}

const refuse = (
  { key }: Pick<MutationCall, 'key'>,
  code: MutationRefusal['code'],
  hint: string,
): MutationRefusal => ({ key, code, hint, approvalId: null })
