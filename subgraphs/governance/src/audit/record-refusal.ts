import { type Actor, TuttiError } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { recordDenial } from './record-denial.ts'

const DENIALS: readonly string[] = ['SEPARATION_OF_DUTIES', 'NOT_A_DECIDER']

/** What is tried. */
export interface Tried {
  /** As `Mutation.reviewPolicy`. */
  action: string
  /** What is decided by it, as `approval/<id>`. */
  subject: string
  /** Codes that are a denial of this act besides those of who may not decide. */
  denials?: readonly string[]
}

/**
 * Does an act; a refusal of it for who acts, or for what `denials` says, is recorded as a denial, in a transaction of its own
 * since the act's was rolled back. What fails to be recorded fails the call.
 */
export async function recordingRefusal<T>(
  services: DomainServices,
  actor: Actor,
  { action, subject, denials = [] }: Tried,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof TuttiError && [...DENIALS, ...denials].includes(error.code)) {
      const hint = error.hint === undefined ? '' : `: ${error.hint}`
      await recordDenial(services, actor, { action, code: error.code, reason: `${subject}${hint}` })
    }
    throw error
  }
}
