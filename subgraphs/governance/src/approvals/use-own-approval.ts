import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { line } from '../input/text.ts'
import type { ApprovalRow } from './approval-row.ts'
import { clientKey } from './client-key.ts'
import { loadApprovals } from './load-approvals.ts'
import { type Use, useApproval } from './use-approval.ts'

const inputSchema = z.object({
  id: z.string(),
  /** Of what is about to be done, as the approval's `approvedDigest`. */
  digest: line(),
  /** The caller's own name for this use: with it, and with no other, it may be repeated. */
  by: line(100),
})

/** A yes that was used up. */
export interface OwnUse {
  approval: ApprovalRow
  /** What may be done with: the decider's when there are any, else those asked for. */
  arguments: unknown
  /** The same use was let through before. */
  repeated: boolean
}

type Reason = Extract<Use, { allowed: false }>['reason']

const REFUSALS = {
  not_found: ['NOT_FOUND', 'input.id', undefined],
  not_approved: ['INVALID_STATE', 'input.id', 'It is not approved.'],
  digest_differs: ['CONFLICT', 'input.digest', 'Something else was approved: see approvedDigest.'],
  used_already: ['INVALID_STATE', 'input.id', 'It was used already: ask anew.'],
  decider_lost: ['INVALID_STATE', 'input.id', 'Whoever said yes could not say it any more: ask anew.'],
} as const satisfies Record<Reason, readonly [string, string, string | undefined]>

/**
 * Uses up the yes to a question that the actor asked by `requestApproval`, right before they do what was approved. Events,
 * audit: as `useApproval`. NOT_FOUND; and, as denials on record, SEPARATION_OF_DUTIES (somebody else asked), CONFLICT
 * (another digest), INVALID_STATE (not approved, used already, or whoever said yes could not say it any more).
 */
export async function useOwnApproval(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<OwnUse> {
  const { id, digest, by } = parseInput(inputSchema, input)
  const asked = async () => (await loadApprovals({ ...services, actor }, [id])).get(id)
  const approval = (await asked()) ?? fail('NOT_FOUND', { path: 'input.id' })
  const isOwn = approval.requestedBy.id === actor.id && approval.requestKey.startsWith(clientKey(actor, ''))
  if (!isOwn)
    fail('SEPARATION_OF_DUTIES', {
      path: 'input.id',
      message: 'Whoever asked by requestApproval uses it, and nobody else.',
    })
  const use = await useApproval(services, actor, { approvalId: id, digest, by: clientKey(actor, by) })
  if (!use.allowed) {
    const [code, path, hint] = REFUSALS[use.reason]
    return fail(code, hint === undefined ? { path } : { path, hint })
  }
  return { approval: (await asked()) ?? approval, arguments: use.arguments, repeated: use.repeated }
}
