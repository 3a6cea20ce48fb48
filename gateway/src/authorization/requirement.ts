/**
 * What it takes to read a field. The lists are the directives' `[[String!]!]!`: one inner list must be held
 * entirely; several directives (of the field, its type, an interface's implementations) must each be satisfied.
 */
export interface Requirement {
  authenticated: boolean
  scopes: readonly string[][][]
  policies: readonly string[][][]
}

/** Both requirements; null means none. */
export function bothOf(a: Requirement | null, b: Requirement | null): Requirement | null {
  if (a === null) return b
  if (b === null || a === b) return a
  return {
    authenticated: a.authenticated || b.authenticated,
    scopes: [...a.scopes, ...b.scopes],
    policies: [...a.policies, ...b.policies],
  }
}

/** Whether the scopes satisfy every alternative list of the requirement. */
export function scopesSatisfy(requirement: Requirement, held: ReadonlySet<string>): boolean {
  return requirement.scopes.every((anyOf) => anyOf.some((allOf) => allOf.every((scope) => held.has(scope))))
}

/** All that is required as one list of alternatives, for people to read; each alternative is sorted. */
export function requiredAlternatives(requirement: Requirement): string[][] {
  let alternatives: string[][] = [[]]
  for (const anyOf of requirement.scopes) {
    const next = alternatives.flatMap((held) =>
      anyOf.map((allOf) => [...new Set([...held, ...allOf])].sort()),
    )
    const distinct = new Map(next.map((each) => [each.join(' '), each]))
    alternatives = [...distinct.values()].slice(0, 100)
  }
  return alternatives.filter((each) => each.length > 0)
}
