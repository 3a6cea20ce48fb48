import { ROLES } from '@tutti/schema'
import { z } from 'zod'
import { isFewerThanNeeded, MOST_DECIDERS } from '../approvals/approval-stage.ts'
import { line } from '../input/text.ts'

/** Of whom an approval asks so many: by role, by group or by name. */
export interface Stage {
  /** How many must say yes. */
  needed: number
  roles: string[]
  groups: string[]
  people: string[]
}

/** What a policy asks for has at most so many stages. */
const MOST_STAGES = 10
/** What all policies together ask for that are about the same action: with a matrix's no more than an approval takes. */
export const MOST_TOGETHER = 50
const MOST_NAMES = 50

const names = () =>
  z
    .array(line())
    .max(MOST_NAMES, `At most ${MOST_NAMES}.`)
    .default([])
    .transform((each) => [...new Set(each)])

/** Built-in roles, each once. */
export const rolesSchema = z
  .array(z.enum(ROLES, { error: `One of ${ROLES.join(', ')}.` }))
  .nullish()
  .transform((roles): string[] => [...new Set(roles)])

/** How many must say yes; one unless said. */
export const neededSchema = z
  .int('A whole number.')
  .min(1, 'At least one.')
  .max(MOST_DECIDERS, `At most ${MOST_DECIDERS}.`)
  .nullish()
  .transform((needed) => needed ?? 1)

/** A stage as somebody writes it; lists may be left out, one of them must name somebody. */
const stageSchema = z
  .object({ needed: neededSchema, roles: rolesSchema, groups: names(), people: names() })
  .strict()
  .refine(({ roles, groups, people }) => roles.length + groups.length + people.length > 0, {
    path: ['roles'],
    message: 'Name a role, a group or a person.',
  })
  .refine((stage) => !isFewerThanNeeded({ ...stage, teamIds: [] }), {
    path: ['needed'],
    message: 'More than the people it names.',
  })

/** The stages of a policy, one after the other. */
export const stagesSchema = z.array(stageSchema).max(MOST_STAGES, `At most ${MOST_STAGES} stages.`)

/**
 * The stages of several decisions, in their order. Where they ask the same roles, groups and people, they ask once, and for
 * as many as the one that needs the most.
 */
export function joinStages(...lists: readonly (readonly Stage[])[]): Stage[] {
  const joined: { key: string; stage: Stage }[] = []
  for (const list of lists) {
    const left = [...joined]
    for (const stage of list) {
      const key = JSON.stringify([stage.roles, stage.groups, stage.people].map((names) => names.toSorted()))
      const place = left.findIndex((each) => each.key === key)
      const [same] = place < 0 ? [] : left.splice(place, 1)
      if (same) same.stage = { ...same.stage, needed: Math.max(same.stage.needed, stage.needed) }
      else joined.push({ key, stage })
    }
  }
  return joined.map(({ stage }) => stage)
}
