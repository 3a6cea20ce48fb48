import type { TenantTransaction } from '@tutti/prisma'
import { type Actor, TuttiError } from '@tutti/schema'
import { recordRefusal } from '../audit/record-refusal.ts'
import type { DomainServices } from '../context.ts'
import { NOT_GRANTABLE } from './require-grantable.ts'

/**
 * A transaction in which rights are given. Whoever tries to give what they do not have is refused, and the audit trail
 * has that after the rollback: when it cannot be written, the call fails with that.
 */
export async function granting<Result>(
  services: DomainServices,
  actor: Actor,
  mutation: string,
  act: (tx: TenantTransaction) => Promise<Result>,
): Promise<Result> {
  try {
    return await services.database.inTenant(actor, act)
  } catch (error) {
    if (error instanceof TuttiError && error.cause === NOT_GRANTABLE) {
      await recordRefusal(services, actor, error, {
        action: `Mutation.${mutation}`,
        reason: [error.message, error.hint].join(' '),
      })
    }
    throw error
  }
}
