import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Role, scopesOf } from '@tutti/schema'
import {
  buildASTSchema,
  type ConstDirectiveNode,
  getNamedType,
  type GraphQLField,
  type GraphQLSchema,
  isObjectType,
  parse,
  valueFromASTUntyped,
} from 'graphql'

/** The supergraph with its security directives. */
export const supergraph: GraphQLSchema = buildASTSchema(
  parse(readFileSync(fileURLToPath(import.meta.resolve('@tutti/schema/supergraph.graphql')), 'utf8')),
  { assumeValid: true, assumeValidSDL: true },
)

/** Scopes of one directive: of the outer list one suffices, of an inner one all are needed. */
type Requirement = string[][]

/** What the schema asks of whoever reads a field: its own directives and those of the type it answers with. */
export function requirementsOf(field: GraphQLField<unknown, unknown>): Requirement[] {
  const type = getNamedType(field.type)
  const nodes = [field.astNode, ...(isObjectType(type) ? [type.astNode, ...type.extensionASTNodes] : [])]
  const directives = nodes.flatMap((node) => [...(node?.directives ?? [])])
  return directives.flatMap((directive) => requirementOf(directive) ?? [])
}

function requirementOf(directive: ConstDirectiveNode): [Requirement] | null {
  if (directive.name.value === 'authenticated') return [[[]]]
  if (directive.name.value !== 'requiresScopes') return null
  const value = directive.arguments?.find(({ name }) => name.value === 'scopes')?.value
  return value ? [valueFromASTUntyped(value) as Requirement] : null
}

/** Whether a role's scopes suffice. */
export function isAllowed(role: Role, field: GraphQLField<unknown, unknown>): boolean {
  const held = new Set<string>(scopesOf([role]))
  return requirementsOf(field).every((anyOf) =>
    anyOf.some((allOf) => allOf.every((scope) => held.has(scope))),
  )
}
