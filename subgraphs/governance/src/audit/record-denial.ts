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
  /** That it is one entry for many, from when on, and how many of which. */
  sum: z
    .object({
      since: z.iso.datetime(),
      refusals: z
        .array(z.object({ action: cut, code: cut, count: z.int().positive() }))
        .min(1)
        .max(200),
    })
    .optional(),
})
export type Denial = z.input<typeof denialSchema>

/** The body of the signed call by which a gateway in another process records a denial. */
export const denialCallSchema = z.object({ actor: actorSchema, denial: denialSchema })

/** Records that an actor was refused, or how many times more, in a transaction of its own. Throws when it could not. */
export async function recordDenial(services: DomainServices, actor: Actor, denial: Denial): Promise<void> {
  const { action, code, reason, sum } = denialSchema.parse(denial)
  const more = sum?.refusals.reduce((all, { count }) => all + count, 0)
  await recordAlone(services, actor, {
    actionType: 'denial',
    domain: 'access',
    summary:
      more === undefined
        ? `${action} was refused to ${actor.name}.`
        : `${more} more refusals of ${actor.name}, most of ${action}.`,
    details: {
      context: { roles: actor.roles, credentialId: actor.credentialId ?? null, ...sum },
      decision: 'denied',
      reasoning: reason,
      outcome: code,
    },
    significance: 'significant',
    subject: `operation/${action}`,
  })
}
