import { type Actor, BOUNDED_TAG, type Scope, scopesAnywhere, TuttiError } from '@tutti/schema'
import {
  type ConstDirectiveNode,
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLSchema,
  isObjectType,
  Kind,
} from 'graphql'

/** Any one of the outer list suffices; of an inner list all are needed. */
type Requirement = readonly (readonly string[])[]

const NONE: Requirement = [[]]

/**
 * Wraps the resolvers of everything that bears `@authenticated` or `@requiresScopes`, on the field or its type, so
 * that `_entities` is as well guarded as a root field. The guard throws before the resolver runs.
 */
export function guardSchema(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue
    const ofType = requirementOf([type.astNode, ...type.extensionASTNodes])
    for (const field of Object.values(type.getFields())) {
      const ofField = requirementOf([field.astNode])
      if (ofType) guard(field, ofType, scopesEverywhere)
      if (ofField) guard(field, ofField, isBounded(field) ? scopesAnywhere : scopesEverywhere)
    }
  }
  return schema
}

const scopesEverywhere = ({ scopes }: Actor): readonly Scope[] => scopes

/** Whether the field looks itself at where its caller may. */
const isBounded = ({ astNode }: GraphQLField<unknown, unknown>): boolean =>
  (astNode?.directives ?? []).some(
    (directive) =>
      directive.name.value === 'tag' &&
      directive.arguments?.some(({ value }) => value.kind === Kind.STRING && value.value === BOUNDED_TAG),
  )

function requirementOf(
  nodes: readonly ({ readonly directives?: readonly ConstDirectiveNode[] | undefined } | null | undefined)[],
): Requirement | undefined {
  const directives = nodes.flatMap((node) => node?.directives ?? [])
  const scopes = directives.find((directive) => directive.name.value === 'requiresScopes')
  if (scopes) return readScopes(scopes)
  return directives.some((directive) => directive.name.value === 'authenticated') ? NONE : undefined
}

function readScopes(directive: ConstDirectiveNode): Requirement {
  const outer = directive.arguments?.[0]?.value
  if (outer?.kind !== Kind.LIST) return []
  return outer.values.map((inner) =>
    inner.kind === Kind.LIST
      ? inner.values.map((scope) => (scope.kind === Kind.STRING ? scope.value : ''))
      : [''],
  )
}

function guard(
  field: GraphQLField<unknown, { actor?: Actor }>,
  requirement: Requirement,
  scopesOf: (actor: Actor) => readonly Scope[],
): void {
  const wrap =
    <Result>(inner: (source: unknown, args: never, context: { actor?: Actor }, info: never) => Result) =>
    (source: unknown, args: never, context: { actor?: Actor }, info: never): Result => {
      const actor = context.actor
      if (!actor) throw new TuttiError('UNAUTHENTICATED')
      const held = new Set<string>(scopesOf(actor))
      const allowed = requirement.some((all) => all.every((scope) => held.has(scope)))
      if (!allowed) throw new TuttiError('FORBIDDEN', { hint: `Needs ${describe(requirement)}.` })
      return inner(source, args, context, info)
    }
  if (field.subscribe) field.subscribe = wrap(field.subscribe as never) as never
  field.resolve = wrap((field.resolve ?? defaultFieldResolver) as never) as never
}

const describe = (requirement: Requirement): string =>
  requirement.map((all) => all.join(' and ')).join(', or ')
