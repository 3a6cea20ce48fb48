import { ROLES } from '@tutti/schema'
import { z } from 'zod'
import { line } from '../input/text.ts'

/** Of whom an approval asks so many: by role, by group or by name. */
export interface Stage {
  /** How many must say yes. */
  needed: number
  roles: string[]
  groups: string[]
  people: string[]
}

const MOST = 50
const names = () => z.array(line()).max(MOST, `At most ${MOST}.`).default([])

/** A stage as somebody writes it; lists may be left out, one of them must name somebody. */
export const stageSchema = z
  .object({
    needed: z.int().min(1).max(100).default(1),
    roles: z.array(z.enum(ROLES, { error: `One of ${ROLES.join(', ')}.` })).default([]),
    groups: names(),
    people: names(),
  })
  .strict()
  .refine(({ roles, groups, people }) => roles.length + groups.length + people.length > 0, {
    path: ['roles'],
    message: 'Name a role, a group or a person.',
  })

/** At most ten stages, one after the other. */
export const stagesSchema = z.array(stageSchema).max(10, 'At most 10 stages.')

/** The stages of several decisions, in their order, each once. */
export function joinStages(...lists: readonly (readonly Stage[])[]): Stage[] {
  const joined = new Map<string, Stage>()
  for (const stage of lists.flat()) joined.set(JSON.stringify(stage), stage)
  return [...joined.values()]
}
