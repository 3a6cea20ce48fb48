import type { Actor } from '@tutti/schema'
import { recordDenial } from '../audit/record-denial.ts'
import type { DomainServices } from '../context.ts'

/** A link by which nothing is done. */
export interface DeadLink {
  /** As `approval/<id>`. */
  subject: string
  /** Whose it is, with `credentialId`: the link. */
  person: Actor
}

/** Records that somebody came by a link that opens nothing, as a denial of whose it is. Throws when it could not. */
export async function recordDeadLink(
  services: DomainServices,
  { subject, person }: DeadLink,
  why: string,
): Promise<void> {
  const action = subject.startsWith('approval/')
    ? 'Mutation.decideApproval'
    : 'Mutation.acknowledgeEscalation'
  await recordDenial(services, person, {
    action,
    code: 'NOT_FOUND',
    reason: `${subject} by its link: ${why}`,
  })
}
