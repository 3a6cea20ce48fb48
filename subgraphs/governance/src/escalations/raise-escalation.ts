import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { prose } from '../input/text.ts'
import type { EscalationRow } from './escalation-row.ts'
import { canMove, ruleAbove } from './escalation-status.ts'
import { lockWithApproval } from './lock-with-approval.ts'
import { moveUp } from './move-up.ts'
import { readLadder } from './read-ladder.ts'

const inputSchema = z.object({ id: z.string(), reason: prose() })

/**
 * Takes an escalation up a level by hand. Events: escalation.raised, approval.escalated. Audit: an escalation. NOT_FOUND; INVALID_STATE when
 * it is settled or on the last level.
 */
export async function raiseEscalation(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<EscalationRow> {
  const { id, reason } = parseInput(inputSchema, input)
  return database.inTenant(actor, async (tx) => {
    const locked = await lockWithApproval(tx, id)
    const { escalation } = locked
    if (!canMove(escalation.status)) fail('INVALID_STATE', { path: 'input.id', hint: 'It is settled.' })
    const above = ruleAbove(await readLadder(tx, escalation), escalation.level)
    if (!above)
      fail('INVALID_STATE', {
        path: 'input.id',
        hint: 'It is on the last level; reassignEscalation gives it to somebody.',
      })
    return moveUp(tx, locked, above, 'request', reason)
  })
}
