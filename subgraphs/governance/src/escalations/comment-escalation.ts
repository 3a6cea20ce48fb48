import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { prose } from '../input/text.ts'
import type { EscalationRow } from './escalation-row.ts'
import { writeStep } from './escalation-step.ts'
import { lockEscalation } from './lock-escalation.ts'

const inputSchema = z.object({ id: z.string(), text: prose() })

/** Says something about an escalation, also when it is settled. Events: escalation.commented. NOT_FOUND. */
export async function commentEscalation(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<EscalationRow> {
  const { id, text } = parseInput(inputSchema, input)
  return database.inTenant(actor, async (tx) => {
    const escalation = await lockEscalation(tx, id)
    const stepId = await writeStep(tx, escalation, { kind: 'commented', text })
    await tx.appendEvent({
      type: 'escalation.commented',
      subject: `escalation/${id}`,
      data: { escalationId: id, stepId },
    })
    return escalation
  })
}
