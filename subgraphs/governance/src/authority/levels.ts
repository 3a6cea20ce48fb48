/** Levels of decision, from the narrowest. */
export const LEVELS = ['agent', 'domain', 'enterprise'] as const
export type Level = (typeof LEVELS)[number]

/** Whom one may ask: the levels, and above them a person. */
export const HIGHER = ['domain', 'enterprise', 'person'] as const
export type Higher = (typeof HIGHER)[number]

const LEVEL_OF: Readonly<Record<string, Level>> = {
  agent: 'agent',
  operator: 'domain',
  approver: 'domain',
  admin: 'enterprise',
}

/** The level on which a role decides; a viewer decides nothing. */
export const levelOf = (role: string): Level | null => LEVEL_OF[role] ?? null

/** The levels on which somebody of these roles decides, the narrowest first. */
export const levelsOf = (roles: readonly string[]): Level[] =>
  LEVELS.filter((level) => roles.some((role) => levelOf(role) === level))
