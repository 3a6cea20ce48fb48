import { parseInput } from '@tutti/runtime'
import { type Actor, ROLES } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { requestOf } from './authorize.ts'
import { type AuthorityDecision, decideAuthority } from './decide-authority.ts'
import { type Level, LEVELS, levelOf } from './levels.ts'
import { questionSchema } from './question-input.ts'
import { rulesMemoryOf } from './rules-memory.ts'

/** What the matrix says for one role of one level. */
export interface RoleAuthority extends AuthorityDecision {
  level: Level
  role: string
}

/** What the matrix says of an action, for every level and role, with the line that says it. BAD_INPUT with all mistakes. */
export async function whoMayDecide(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<RoleAuthority[]> {
  const { resource, context, ...question } = parseInput(questionSchema, input)
  const { matrix } = await rulesMemoryOf(services.database).rulesOf(actor)
  return LEVELS.flatMap((level) =>
    ROLES.filter((role) => levelOf(role) === level).map((role) => {
      // Of the enterprise's level as an agent that leads has it: a person needs to ask no person.
      const asked = requestOf(
        { ...actor, kind: 'agent', roles: [role] },
        { ...question, ...(resource ? { resource } : {}), ...(context ? { context } : {}) },
      )
      return { level, role, ...decideAuthority(matrix, asked) }
    }),
  )
}
