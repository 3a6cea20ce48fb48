import { type Actor, actorSchema } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { recordAlone } from './record-alone.ts'

const MOST_SHOWN = 500
const cut = z
  .string()
  .transform((text) => text.replaceAll('\0', '').toWellFormed().slice(0, MOST_SHOWN).toWellFormed())

/** What was refused: the field or operation, and the error's code. */
export const denialSchema = z.object({
  /** As `Mutation.startRun`. */
  action: cut,
  /** As FORBIDDEN. */
  code: cut.default('FORBIDDEN'),
  /** What was missing. */
  reason: cut.default(''),
})
export type Denial = z.input<typeof denialSchema>

/** The body of the signed call by which a gateway in another process records a denial. */
export const denialCallSchema = z.object({ actor: actorSchema, denial: denialSchema })

/** Records that an actor was refused, in a transaction of its own. Throws when it could not. */
export async function recordDenial(services: DomainServices, actor: Actor, denial: Denial): Promise<void> {
  const { action, code, reason } = denialSchema.parse(denial)
  await recordAlone(services, actor, {
    actionType: 'denial',
    domain: 'access',
    summary: `${action} was refused to ${actor.name}.`,
    details: {
      context: { roles: actor.roles, credentialId: actor.credentialId ?? null },
      decision: 'denied',
      reasoning: reason,
      outcome: code,
    },
    significance: 'significant',
    subject: `operation/${action}`,
  })
}
