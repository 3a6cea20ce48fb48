import type { ApprovalStage } from './approval-stage.ts'
import type { Authority } from './approval-status.ts'

/** Who gave somebody a name, and when (milliseconds since the epoch). */
export interface Given {
  /** They and who made the keys by which they gave it, by id. */
  by: readonly string[]
  at: number
}

/** An authority of which it is known which roles were assigned here. */
export interface KnownAuthority extends Authority {
  /** Of its roles those that are assigned, to it or to its groups; the others came with a login, a key or a token. */
  assigned: readonly string[]
  /** Who gave it which roles; without those that it came with. */
  rolesGiven: Readonly<Record<string, readonly Given[]>>
  /** Who put it in which groups; without those that a directory or a login says. */
  groupsGiven: Readonly<Record<string, readonly Given[]>>
}

/**
 * By which names a stage asks somebody: `person`, `group:<name>`, `team:<id>`, `role:<name>` of a role that is assigned to
 * them, `login:<name>` of one that they came with.
 */
export const namesOf = (stage: ApprovalStage | undefined, by: KnownAuthority): string[] =>
  stage === undefined
    ? []
    : [
        ...(stage.people.includes(by.id) ? ['person'] : []),
        ...stage.groups.filter((name) => by.groups.includes(name)).map((name) => `group:${name}`),
        ...stage.teamIds.filter((id) => by.teamIds.includes(id)).map((id) => `team:${id}`),
        ...stage.roles
          .filter((name) => by.roles.includes(name))
          .map((name) => `${by.assigned.includes(name) ? 'role' : 'login'}:${name}`),
      ]

/** Whether somebody still has a name of {@link namesOf}. What they came with is known at a login alone, and stays. */
export function hasName(name: string, now: Authority): boolean {
  const [kind, ...parts] = name.split(':')
  const rest = parts.join(':')
  if (kind === 'group') return now.groups.includes(rest)
  if (kind === 'team') return now.teamIds.includes(rest)
  return kind !== 'role' || now.roles.includes(rest)
}
