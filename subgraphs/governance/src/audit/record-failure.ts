import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { recordAlone } from './record-alone.ts'

const MOST_SHOWN = 100

/** A mutation that failed on our side. */
export interface Failure {
  /** As `decideApproval`. */
  mutation: string
  /** The id of what it was about, as the caller gave it; null: it named nothing. */
  target: string | null
}

/** Records that a mutation failed, after its rollback. Throws when it could not, and then the call has to fail. */
export async function recordFailure(
  services: DomainServices,
  actor: Actor,
  { mutation, target }: Failure,
): Promise<void> {
  const shown = target?.replaceAll('\0', '').slice(0, MOST_SHOWN).toWellFormed() ?? null
  await recordAlone(services, actor, {
    actionType: 'execution',
    domain: 'governance',
    summary: `${mutation} by ${actor.name} failed.`,
    details: { context: { target: shown, credentialId: actor.credentialId ?? null } },
    outcome: 'INTERNAL',
    significance: 'significant',
    subject: `operation/Mutation.${mutation}`,
  })
}
