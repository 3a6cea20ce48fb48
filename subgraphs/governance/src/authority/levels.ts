import { type Actor, type Place, scopesWithin } from '@tutti/schema'

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

/** The level on which a built-in role decides; a viewer decides nothing. */
export const levelOf = (role: string): Level | null => LEVEL_OF[role] ?? null

/** Scopes by which a role of the organization's own decides on a level: the highest of them. */
const SCOPES_OF: Readonly<Record<Level, readonly string[]>> = {
  agent: ['runs:report', 'messages:send'],
  domain: ['runs:control', 'approvals:decide', 'policies:review', 'agents:write', 'workflows:write'],
  enterprise: ['access:manage', 'policies:write'],
}

/**
 * The levels on which somebody decides about something there, the narrowest first: those of the built-in roles. Who has none
 * of these, but roles of the organization's own, decides on the level that their scopes are of. Who has a role in that
 * domain or team alone decides on the level of its scopes there as well.
 */
export function levelsOf(
  actor: Pick<Actor, 'roles' | 'scopes' | 'within'>,
  place: Place = { domainId: null, teamId: null },
): Level[] {
  const ofRoles = LEVELS.filter((level) => actor.roles.some((role) => levelOf(role) === level))
  const everywhere = ofRoles.length > 0 ? ofRoles : levelOfScopes(actor.scopes)
  const there = levelOfScopes(scopesWithin(actor, place))
  return LEVELS.filter((level) => everywhere.includes(level) || there.includes(level))
}

const levelOfScopes = (scopes: readonly string[]): Level[] =>
  LEVELS.filter((level) => SCOPES_OF[level].some((scope) => scopes.includes(scope))).slice(-1)
