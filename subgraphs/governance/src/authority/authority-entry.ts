import { ROLES, CLASSIFICATIONS, type Classification, RISKS, type Risk } from '@tutti/schema'
import { z } from 'zod'
import { line } from '../input/text.ts'
import { actionPattern, oneOf } from '../policies/policy-input.ts'
import { neededSchema, rolesSchema, type Stage } from '../policies/stage.ts'
import { HIGHER, type Higher, LEVELS, type Level, levelOf } from './levels.ts'

/** From the most to the least free. */
export const RULINGS = ['alone', 'inform', 'ask', 'never'] as const
export type AuthorityRuling = (typeof RULINGS)[number]

/** A line of the matrix: who, what, where, up to where, and how it is decided. What is null is any. */
export interface AuthorityEntry {
  level: Level
  /** Of this level only those with this role. */
  role: string | null
  /** Of the catalogue, or all that begin alike: `budget.*`, `*`. */
  action: string
  domain: string | null
  team: string | null
  /** US dollars. An action of which the amount is not known is not within it. */
  maxAmount: number | null
  maxRisk: Risk | null
  maxClassification: Classification | null
  ruling: AuthorityRuling
  /** Whom to ask or inform. */
  to: Higher | null
  /** Of those to ask: roles, and how many must say yes; empty: those of `to`. */
  askRoles: string[]
  needed: number
}

const orNull = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? null)

const always = { when: () => true }

/** An entry as somebody writes it, with all mistakes at once. */
export const entrySchema = z
  .object({
    level: oneOf(LEVELS),
    role: orNull(z.enum(ROLES, { error: `One of ${ROLES.join(', ')}.` })),
    action: actionPattern(),
    domain: orNull(line()),
    team: orNull(line()),
    maxAmount: orNull(z.number().min(0, 'At least 0.')),
    maxRisk: orNull(oneOf(RISKS)),
    maxClassification: orNull(oneOf(CLASSIFICATIONS)),
    ruling: oneOf(RULINGS),
    to: orNull(oneOf(HIGHER)),
    askRoles: rolesSchema,
    needed: neededSchema,
  })
  .refine(({ level, role }) => role == null || levelOf(role) === level, {
    path: ['role'],
    message: 'It decides on another level.',
    ...always,
  })
  .refine(({ ruling, to }) => (ruling === 'ask' || ruling === 'inform') === (to != null), {
    path: ['to'],
    message: 'With ask and inform, and only with them: domain, enterprise or person.',
    ...always,
  })

const ROLES_OF: Record<Higher, string[]> = {
  domain: ['approver', 'admin'],
  enterprise: ['admin'],
  person: ['admin', 'approver'],
}

/** Of whom an entry asks. */
export function stagesOf({ ruling, to, askRoles, needed }: AuthorityEntry): Stage[] {
  if (ruling !== 'ask' || to === null) return []
  return [{ needed, roles: askRoles.length > 0 ? askRoles : ROLES_OF[to], groups: [], people: [] }]
}
