import { type Actor, actorSchema } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { auditParameters, INSERT_AUDIT_ENTRY } from './write-audit-entry.ts'

const MOST_SHOWN = 500
const cut = z.string().transform((text) => text.replaceAll('\0', '').toWellFormed().slice(0, MOST_SHOWN))

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

/** Records that an actor was refused. On plain pg, at a tenth of Prisma's cost, since anybody can cause many. */
export async function recordDenial(
  { database }: DomainServices,
  actor: Actor,
  denial: Denial,
): Promise<void> {
  const { action, code, reason } = denialSchema.parse(denial)
  const organizationId = actorSchema.shape.organizationId.parse(actor.organizationId)
  const client = await database.pool('api').connect()
  let failed = true
  try {
    await client.query(`begin; set local app.organization = '${organizationId}'`)
    await client.query(
      INSERT_AUDIT_ENTRY,
      auditParameters(actor, {
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
      }),
    )
    await client.query('commit')
    failed = false
  } finally {
    if (failed) await client.query('rollback').catch(() => undefined)
    client.release()
  }
}
