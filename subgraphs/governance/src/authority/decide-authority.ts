import { isAbout, CLASSIFICATIONS, RISKS } from '@tutti/schema'
import type { DecisionRequest } from '../policies/decision-request.ts'
import type { Stage } from '../policies/stage.ts'
import { type AuthorityEntry, type AuthorityRuling, RULINGS, stagesOf } from './authority-entry.ts'
import type { Higher, Level } from './levels.ts'

export interface AuthorityDecision {
  ruling: AuthorityRuling
  /** Whom to ask or inform. */
  to: Higher | null
  /** Who must say yes, when asking. */
  stages: Stage[]
  /** The line that said it, and its level; null when none did. */
  entry: AuthorityEntry | null
  reason: string
}

/** A matrix, ready: its lines by action. */
export interface CompiledMatrix {
  version: number
  entries: readonly AuthorityEntry[]
  about(action: string): readonly AuthorityEntry[]
}

const MOST_ACTIONS = 1_000

export function compileMatrix(version: number, entries: readonly AuthorityEntry[]): CompiledMatrix {
  const remembered = new Map<string, readonly AuthorityEntry[]>()
  return {
    version,
    entries,
    about(action) {
      const before = remembered.get(action)
      if (before) return before
      if (remembered.size >= MOST_ACTIONS) remembered.clear()
      const about = entries.filter((entry) => isAbout(entry.action, action))
      remembered.set(action, about)
      return about
    },
  }
}

/**
 * What an actor may decide: of each of its levels the most specific line that fits, and of several levels the freest. A
 * line with a role goes before one without, then a team's, a domain's, an action's own, a bounded one; among equals the
 * freest. Where none fits, and without a level, it may not. A person may decide what a person must be asked.
 */
export function decideAuthority(matrix: CompiledMatrix, request: DecisionRequest): AuthorityDecision {
  const { actor, action } = request
  if (actor.kind === 'system')
    return { ruling: 'alone', to: null, stages: [], entry: null, reason: 'The platform itself acts.' }
  const about = matrix.about(action)
  let best: AuthorityDecision | undefined
  for (const level of actor.levels) {
    const decision = decideOnLevel(about, request, level)
    if (!best || freedom(decision) < freedom(best)) best = decision
  }
  return (
    best ?? {
      ruling: 'never',
      to: null,
      stages: [],
      entry: null,
      reason: `By the roles ${actor.roles.join(', ') || '(none built in)'} one decides on no level.`,
    }
  )
}

const freedom = ({ ruling }: { ruling: AuthorityRuling }): number => RULINGS.indexOf(ruling)

function decideOnLevel(
  entries: readonly AuthorityEntry[],
  request: DecisionRequest,
  level: Level,
): AuthorityDecision {
  let entry: AuthorityEntry | undefined
  for (const each of entries) {
    if (each.level === level && fits(each, request) && (!entry || isBefore(each, entry))) entry = each
  }
  const what = `${request.action} on level ${level}`
  if (!entry)
    return {
      ruling: 'never',
      to: null,
      stages: [],
      entry: null,
      reason: `The matrix has no line for ${what}.`,
    }
  if (entry.ruling === 'ask' && entry.to === 'person' && request.actor.kind === 'person')
    return { ruling: 'alone', to: null, stages: [], entry, reason: `A person decides ${what}.` }
  return {
    ruling: entry.ruling,
    to: entry.to,
    stages: stagesOf(entry),
    entry,
    reason: REASONS[entry.ruling](what, entry),
  }
}

const REASONS: Record<AuthorityRuling, (what: string, entry: AuthorityEntry) => string> = {
  alone: (what, entry) => `The matrix lets decide ${what} alone${boundsOf(entry)}.`,
  inform: (what, { to }) => `The matrix lets decide ${what} and wants ${to} to be informed.`,
  ask: (what, { to }) => `For ${what} the matrix wants ${to} to be asked.`,
  never: (what) => `The matrix forbids ${what}.`,
}

function boundsOf({ maxAmount, maxRisk, maxClassification }: AuthorityEntry): string {
  const bounds = [
    maxAmount === null ? [] : [`an amount of ${maxAmount}`],
    maxRisk === null ? [] : [`risk ${maxRisk}`],
    maxClassification === null ? [] : [`classification ${maxClassification}`],
  ].flat()
  return bounds.length === 0 ? '' : `, up to ${bounds.join(' and ')}`
}

function fits(entry: AuthorityEntry, { actor, resource, context }: DecisionRequest): boolean {
  if (entry.role !== null && !actor.roles.includes(entry.role)) return false
  if (entry.domain !== null && entry.domain !== resource.domain) return false
  if (entry.team !== null && entry.team !== resource.team) return false
  // What is not known is not within a bound.
  if (entry.maxAmount !== null && (context.amount === null || context.amount > entry.maxAmount)) return false
  return (
    isWithin(RISKS, context.risk, entry.maxRisk) &&
    isWithin(CLASSIFICATIONS, context.classification, entry.maxClassification)
  )
}

function isWithin<Word extends string>(
  scale: readonly Word[],
  value: Word | null,
  most: Word | null,
): boolean {
  return most === null || (value !== null && scale.indexOf(value) <= scale.indexOf(most))
}

function isBefore(a: AuthorityEntry, b: AuthorityEntry): boolean {
  const [left, right] = [specificity(a), specificity(b)]
  return left === right ? freedom(a) < freedom(b) : left > right
}

function specificity({
  role,
  team,
  domain,
  action,
  maxAmount,
  maxRisk,
  maxClassification,
}: AuthorityEntry): number {
  const exact = action === '*' ? 0 : action.endsWith('.*') ? 1 : 2
  const bounded = maxAmount !== null || maxRisk !== null || maxClassification !== null
  return (
    (role === null ? 0 : 32) +
    (team === null ? 0 : 16) +
    (domain === null ? 0 : 8) +
    exact * 2 +
    (bounded ? 1 : 0)
  )
}
