import { z } from 'zod'
import { line } from '../input/text.ts'

/** From the lowest: who is asked first to who is asked last. */
export const LEVELS = ['agent', 'domain', 'enterprise', 'person'] as const
export type EscalationLevel = (typeof LEVELS)[number]

/** Kinds of who is responsible: everybody of a role or group, one person, or whoever a schedule has on call. */
export const RESPONSIBLES = ['role', 'group', 'person', 'schedule'] as const

/** Who is responsible; `name`: of the role, the group or the schedule, or the person's id. */
export interface Responsible {
  kind: (typeof RESPONSIBLES)[number]
  name: string
}

/** What a policy says of one level; times in seconds from when it got there. */
export interface LevelRule {
  level: EscalationLevel
  responsible: Responsible
  acknowledgeWithinSeconds: number
  resolveWithinSeconds: number
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const LONGEST = 366 * DAY

const rule = (
  level: EscalationLevel,
  role: string,
  acknowledgeWithinSeconds: number,
  resolveWithinSeconds: number,
): LevelRule => ({
  level,
  responsible: { kind: 'role', name: role },
  acknowledgeWithinSeconds,
  resolveWithinSeconds,
})

/** Where nobody said otherwise. */
export const DEFAULT_LADDER: readonly LevelRule[] = [
  rule('agent', 'operator', 15 * MINUTE, HOUR),
  rule('domain', 'approver', 30 * MINUTE, 4 * HOUR),
  rule('enterprise', 'admin', HOUR, DAY),
  rule('person', 'admin', 4 * HOUR, 7 * DAY),
]

const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(words, { error: `One of ${words.join(', ')}.` }))

/** A level by its name, in whatever case. */
export const levelSchema = () => oneOf(LEVELS)

/** Who is responsible, as a caller names them. */
export const responsibleSchema = z.object({ kind: oneOf(RESPONSIBLES), name: line() })

const seconds = () => z.int('Whole seconds.').min(1, 'At least a second.').max(LONGEST, 'At most a year.')

/** The levels of a policy as a caller gives them: each at most once, from the lowest. */
export const ladderSchema = z
  .array(
    z.object({
      level: levelSchema(),
      responsible: responsibleSchema,
      acknowledgeWithinSeconds: seconds(),
      resolveWithinSeconds: seconds(),
    }),
  )
  .min(1, 'At least one level.')
  .superRefine((levels, check) => {
    for (const [index, { level, acknowledgeWithinSeconds, resolveWithinSeconds }] of levels.entries()) {
      const before = levels[index - 1]
      if (before && LEVELS.indexOf(level) <= LEVELS.indexOf(before.level))
        check.addIssue({
          code: 'custom',
          path: [index, 'level'],
          message: `Each once, in this order: ${LEVELS.join(', ')}.`,
        })
      if (resolveWithinSeconds < acknowledgeWithinSeconds)
        check.addIssue({
          code: 'custom',
          path: [index, 'resolveWithinSeconds'],
          message: 'Not before it has to be taken on.',
        })
    }
  })
