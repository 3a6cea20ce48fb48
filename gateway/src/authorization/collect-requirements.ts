import {
  type DocumentNode,
  type FragmentDefinitionNode,
  getNamedType,
  type GraphQLNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'

import { bothOf, type Requirement } from './requirement.ts'
import type { SecurityRules } from './security-rules.ts'

/** A selected field that not everybody may read. */
export interface GuardedField {
  /** Response names from the root. */
  path: string[]
  requirement: Requirement
  /** It looks itself at where its caller may: scopes held in one place only are enough to come to it. */
  bounded: boolean
}

/** What an operation touches, as far as access depends on it. */
export interface OperationAccess {
  guarded: GuardedField[]
  /** Asks `__schema` or `__type`. */
  introspects: boolean
  /** Holds a field whose answer depends on the person who asks. */
  personal: boolean
}

/**
 * Every guarded field of a validated operation. `@skip` and `@include` are not looked at, and a field
 * selected on an interface needs what each implementation needs: rather refused than leaked.
 */
export function collectRequirements(
  rules: SecurityRules,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): OperationAccess {
  const access: OperationAccess = { guarded: [], introspects: false, personal: false }
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }

  const walk = (
    selections: SelectionSetNode,
    parent: GraphQLNamedType,
    path: string[],
    inherited: Requirement | null,
  ) => {
    for (const selection of selections.selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value
        if (path.length === 0 && (name === '__schema' || name === '__type')) {
          access.introspects = true
          continue
        }
        const here = [...path, selection.alias?.value ?? name]
        const type = fieldType(parent, name)
        const requirement = bothOf(
          bothOf(inherited, rules.ofField(parent, name)),
          type === null ? null : rules.ofType(type),
        )
        if (requirement !== null) {
          access.guarded.push({ path: here, requirement, bounded: rules.isBounded(parent, name) })
        }
        access.personal ||= rules.isPersonal(parent, name)
        if (selection.selectionSet !== undefined && type !== null)
          walk(selection.selectionSet, type, here, null)
      } else {
        const fragment =
          selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection
        if (fragment === undefined) continue
        const type =
          fragment.typeCondition === undefined
            ? parent
            : rules.schema.getType(fragment.typeCondition.name.value)
        if (type === undefined) throw new Error('A fragment on a type the supergraph does not have')
        walk(fragment.selectionSet, type, path, bothOf(inherited, rules.ofType(type)))
      }
    }
  }
  const root = rules.schema.getRootType(operation.operation)
  if (root === undefined || root === null)
    throw new Error(`The supergraph has no ${operation.operation} type`)
  walk(operation.selectionSet, root, [], rules.ofType(root))
  return access
}

function fieldType(parent: GraphQLNamedType, name: string): GraphQLNamedType | null {
  if (!isObjectType(parent) && !isInterfaceType(parent)) return null
  const field = parent.getFields()[name]
  return field === undefined ? null : getNamedType(field.type)
}
