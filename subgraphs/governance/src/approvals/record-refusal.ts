import { type Actor, TuttiError } from '@tutti/schema'
import { recordDenial } from '../audit/record-denial.ts'
import type { DomainServices } from '../context.ts'

const DENIALS: readonly string[] = ['SEPARATION_OF_DUTIES', 'NOT_A_DECIDER', 'CONFLICT']

/**
 * Does an act on an approval; a refusal of it for who acts, or for what was shown to them, is recorded as a denial, in a
 * transaction of its own since the act's was rolled back. What fails to be recorded fails the call.
 */
export async function recordingRefusal<T>(
  services: DomainServices,
  actor: Actor,
  about: { action: string; approvalId: string },
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof TuttiError && DENIALS.includes(error.code)) {
      const hint = error.hint === undefined ? '' : `: ${error.hint}`
      await recordDenial(services, actor, {
        action: about.action,
        code: error.code,
        reason: `approval/${about.approvalId}${hint}`,
      })
    }
    throw error
  }
}
