import { type EscalationLevel, type LevelRule, LEVELS } from './escalation-level.ts'

/**
 * `open` → `acknowledged` → `resolved`, or straight to the end; the end is final. Going up a level, or to somebody else,
 * opens it again: who is responsible now has not taken it on.
 */
export type EscalationStatus = 'open' | 'acknowledged' | 'resolved'

/** Which of a level's deadlines passed. */
export type Missed = 'acknowledgement' | 'resolution'

/** Whether somebody may still take it on. */
export const canAcknowledge = (status: EscalationStatus): boolean => status === 'open'

/** Whether it is not settled yet. */
export const canResolve = (status: EscalationStatus): boolean => status !== 'resolved'

/** Whether it may go to somebody else, up or not. */
export const canMove = (status: EscalationStatus): boolean => status !== 'resolved'

/** What a policy says of a level; of one that it leaves out, what it says of the next above, or of its last. */
export function ruleAt(ladder: readonly LevelRule[], level: EscalationLevel): LevelRule {
  const found = ladder.find((rule) => LEVELS.indexOf(rule.level) >= LEVELS.indexOf(level)) ?? ladder.at(-1)
  if (!found) throw new Error('A policy has no level.')
  return found
}

/** The next level above; null at the top. */
export function ruleAbove(ladder: readonly LevelRule[], level: EscalationLevel): LevelRule | null {
  return ladder.find((rule) => LEVELS.indexOf(rule.level) > LEVELS.indexOf(level)) ?? null
}

/** Where it stands as to time: moments, null for none. */
export interface Deadlines {
  status: EscalationStatus
  acknowledgeBy: Date | null
  resolveBy: Date | null
}

/** The next deadline to look at: of one that is taken on, the second alone. */
export function dueAt({ status, acknowledgeBy, resolveBy }: Deadlines): Date | null {
  if (status === 'resolved') return null
  if (status === 'acknowledged' || acknowledgeBy === null) return resolveBy
  return resolveBy === null || acknowledgeBy <= resolveBy ? acknowledgeBy : resolveBy
}

/** Which deadline has passed at a moment: of both, the second. */
export function missedAt(deadlines: Deadlines, now: Date): Missed | null {
  const { status, acknowledgeBy, resolveBy } = deadlines
  if (status === 'resolved') return null
  if (resolveBy !== null && resolveBy <= now) return 'resolution'
  return status === 'open' && acknowledgeBy !== null && acknowledgeBy <= now ? 'acknowledgement' : null
}
