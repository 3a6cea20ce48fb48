import { type Actor, TuttiError } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { recordDenial } from './record-denial.ts'

const DENIALS: readonly string[] = ['SEPARATION_OF_DUTIES', 'NOT_A_DECIDER']

/** Refusals that are on record: who lets one go on up does not write it again. */
const recorded = new WeakSet<TuttiError>()

/** What is tried. */
export interface Tried {
  /** As `Mutation.reviewPolicy`. */
  action: string
  /** What is decided by it, as `approval/<id>`. */
  subject: string
  /** Codes that are a denial of this act besides those of who may not decide. */
  denials?: readonly string[]
}

/** Whether it refuses who asks, and not what they ask. */
export const isDenial = (error: unknown, more: readonly string[] = []): error is TuttiError =>
  error instanceof TuttiError && (DENIALS.includes(error.code) || more.includes(error.code))

/**
 * Records a refusal as a denial, once, in a transaction of its own since that of what was tried was rolled back. Throws when
 * it could not, and then the call has to fail.
 */
export async function recordRefusal(
  services: DomainServices,
  actor: Actor,
  error: TuttiError,
  { action, reason }: { action: string; reason: string },
): Promise<void> {
  if (recorded.has(error)) return
  await recordDenial(services, actor, { action, code: error.code, reason })
  recorded.add(error)
}

/**
 * Does an act; a refusal of it for who acts, or for what `denials` says, is recorded as by {@link recordRefusal}. What fails to
 * be recorded fails the call.
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
    if (isDenial(error, denials)) {
      const hint = error.hint === undefined ? '' : `: ${error.hint}`
      await recordRefusal(services, actor, error, { action, reason: `${subject}${hint}` })
    }
    throw error
  }
}
