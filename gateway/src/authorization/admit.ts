import { type Actor, scopesAnywhere } from '@tutti/schema'
import type { GraphQLError } from 'graphql'

import { clientError } from '../errors/client-error.ts'
import type { PreparedOperation } from '../graph/prepare-operation.ts'
import { authorityOf } from './authority.ts'
import type { GuardedField } from './collect-requirements.ts'
import { requiredAlternatives, scopesSatisfy } from './requirement.ts'
import type { Verdict } from './verdict.ts'

const ADMITTED: unique symbol = Symbol('admitted')

/** An operation this caller may run. Only {@link createAdmission} makes one, and nothing executes without. */
export interface Admitted {
  readonly [ADMITTED]: true
  readonly operation: PreparedOperation
  /** Null only where the schema asks for nobody: fields without security directives. */
  readonly actor: Actor | null
}

/** Decides `@policy`: true when the caller satisfies the named policy. */
export type DecidePolicy = (policy: string, actor: Actor) => boolean | Promise<boolean>

export interface AdmissionSettings {
  /** Whether somebody without a credential may read the schema; in development only. */
  anonymousIntrospection: boolean
  /** Without it every field that carries `@policy` is refused. */
  policies?: DecidePolicy | undefined
}

/** Admits the operation, or returns one error for each field that the caller may not have. */
export type Admission = (
  operation: PreparedOperation,
  actor: Actor | null,
) => Promise<Admitted | readonly GraphQLError[]>

/** The one place where access is decided, for queries, mutations and subscriptions on every transport. */
export function createAdmission(settings: AdmissionSettings): Admission {
  return async (operation, actor) => {
    const verdict = cachedVerdict(operation, actor, settings)
    const errors = [...verdict.errors]
    for (const field of verdict.undecided) {
      if (actor === null || !(await policiesAllow(field, actor, settings.policies))) {
        errors.push(refusal('FORBIDDEN', field))
      }
    }
    return errors.length === 0 ? { [ADMITTED]: true, operation, actor } : errors
  }
}

/** Narrows what {@link Admission} gave. */
export function isAdmitted(verdict: Admitted | readonly GraphQLError[]): verdict is Admitted {
  return ADMITTED in verdict
}

function cachedVerdict(
  operation: PreparedOperation,
  actor: Actor | null,
  settings: AdmissionSettings,
): Verdict {
  const key = actor === null ? '' : authorityOf(actor)
  const known = operation.verdicts.get(key)
  if (known !== undefined) return known
  const verdict = decide(operation, actor, settings)
  // Authorities are few (sets of roles); a bound all the same, since custom roles are a tenant's choice.
  if (operation.verdicts.size >= 1_000) operation.verdicts.clear()
  operation.verdicts.set(key, verdict)
  return verdict
}

function decide(operation: PreparedOperation, actor: Actor | null, settings: AdmissionSettings): Verdict {
  const errors: GraphQLError[] = []
  const undecided: GuardedField[] = []
  const { guarded, introspects } = operation.access
  if (introspects && actor === null && !settings.anonymousIntrospection)
    errors.push(clientError('UNAUTHENTICATED'))
  const held = new Set<string>(actor?.scopes ?? [])
  const somewhere = new Set<string>(actor === null ? [] : scopesAnywhere(actor))
  for (const field of guarded) {
    if (actor === null) errors.push(refusal('UNAUTHENTICATED', field))
    else if (!scopesSatisfy(field.requirement, field.bounded ? somewhere : held))
      errors.push(refusal('FORBIDDEN', field))
    else if (field.requirement.policies.length > 0) undecided.push(field)
  }
  return { errors, undecided }
}

async function policiesAllow(
  field: GuardedField,
  actor: Actor,
  policies: DecidePolicy | undefined,
): Promise<boolean> {
  if (policies === undefined) return false
  for (const anyOf of field.requirement.policies) {
    let satisfied = false
    for (const allOf of anyOf) {
      const answers = await Promise.all(allOf.map(async (policy) => policies(policy, actor)))
      if (answers.every((answer) => answer === true)) satisfied = true
    }
    if (!satisfied) return false
  }
  return true
}

function refusal(code: 'UNAUTHENTICATED' | 'FORBIDDEN', field: GuardedField): GraphQLError {
  const requiredScopes = requiredAlternatives(field.requirement)
  return clientError(code, {
    path: field.path,
    ...(code === 'FORBIDDEN' && requiredScopes.length > 0 ? { extensions: { requiredScopes } } : {}),
  })
}
