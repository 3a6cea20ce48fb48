import { isId } from '@tutti/runtime'
import { z } from 'zod'
import { line } from '../input/text.ts'

/** Room for what policies about an action ask for together, and for each set of roles that a matrix can name. */
const MOST_STAGES = 90
/** So many different people may have to say yes in one stage. */
export const MOST_DECIDERS = 20
const MOST_NAMES = 100
const LONGEST_SECONDS = 366 * 86_400
const SYSTEM_ROLES = ['approver', 'admin']

/** What happens to a stage at its deadline. */
export const DEADLINE_RULES = ['expire', 'escalate', 'approve', 'reject'] as const
export type DeadlineRule = (typeof DEADLINE_RULES)[number]

/** Who decides in one stage, and until when. Whoever one of the four lists names may; seconds from its beginning. */
export interface ApprovalStage {
  name: string
  /** So many different persons have to say yes. */
  needed: number
  roles: string[]
  groups: string[]
  /** By principal id. */
  people: string[]
  teamIds: string[]
  deadlineSeconds: number | null
  /** So long before the deadline. */
  reminderSeconds: number | null
  onDeadline: DeadlineRule
}

const names = () =>
  z
    .array(line())
    .max(MOST_NAMES, `At most ${MOST_NAMES}.`)
    .nullish()
    .transform((each) => [...new Set(each)])
const seconds = () =>
  z.int('Whole seconds.').min(1, 'At least a second.').max(LONGEST_SECONDS, 'At most a year.')

/** Whether a stage that names people alone needs more than those. */
export const isFewerThanNeeded = ({
  roles,
  groups,
  teamIds,
  people,
  needed,
}: Pick<ApprovalStage, 'roles' | 'groups' | 'teamIds' | 'people' | 'needed'>): boolean =>
  [roles, groups, teamIds].every((list) => list.length === 0) && needed > people.length

/** A stage as it is asked for. Who names nobody means approvers and administrators. */
const stageSchema = z
  .object({
    name: line().nullish(),
    needed: z
      .int('A whole number.')
      .min(1, 'At least one.')
      .max(MOST_DECIDERS, `At most ${MOST_DECIDERS}.`)
      .nullish(),
    roles: names(),
    groups: names(),
    people: names(),
    teamIds: names().refine((ids) => ids.every(isId), 'That is not an id.'),
    deadlineSeconds: seconds().nullish(),
    reminderSeconds: seconds().nullish(),
    onDeadline: z.enum(DEADLINE_RULES, { error: `One of ${DEADLINE_RULES.join(', ')}.` }).nullish(),
  })
  .transform((stage): ApprovalStage => {
    const { roles, groups, people, teamIds } = stage
    const namesNobody = [roles, groups, people, teamIds].every((list) => list.length === 0)
    return {
      name: stage.name ?? 'decision',
      needed: stage.needed ?? 1,
      roles: namesNobody ? [...SYSTEM_ROLES] : roles,
      groups,
      people,
      teamIds,
      deadlineSeconds: stage.deadlineSeconds ?? null,
      reminderSeconds: stage.reminderSeconds ?? null,
      onDeadline: stage.onDeadline ?? 'expire',
    }
  })
  .superRefine((stage, check) => {
    if (isFewerThanNeeded(stage))
      check.addIssue({ code: 'custom', path: ['needed'], message: 'More than the people it names.' })
    if (stage.onDeadline !== 'expire' && stage.deadlineSeconds === null)
      check.addIssue({ code: 'custom', path: ['onDeadline'], message: 'It needs a deadline.' })
  })

/** The stages of an approval, in order; none: one decision by an approver or administrator. */
export const stagesSchema = z
  .array(stageSchema)
  .min(1, 'At least one stage.')
  .max(MOST_STAGES, `At most ${MOST_STAGES} stages.`)
  .nullish()
  .transform((stages) => stages ?? [stageSchema.parse({})])
