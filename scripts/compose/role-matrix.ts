import {
  type ConstDirectiveNode,
  getNamedType,
  type GraphQLField,
  type GraphQLSchema,
  isObjectType,
  valueFromASTUntyped,
} from 'graphql'
import { BOUNDED_TAG } from '../../schema/src/place.ts'
import { ROLES, type Role, scopesOf } from '../../schema/src/roles.ts'

/** Who may call what, as Markdown, and the operations that nobody was said to be let to. */
export interface RoleMatrix {
  markdown: string
  /** As `Mutation.startRun`. */
  withoutRule: string[]
}

/** The matrix of built-in roles and operations of a supergraph, by the directives of its root fields and their types. */
export function roleMatrix(supergraph: GraphQLSchema): RoleMatrix {
  const roots = [supergraph.getQueryType(), supergraph.getMutationType(), supergraph.getSubscriptionType()]
  const rows: string[] = []
  const withoutRule: string[] = []
  for (const root of roots) {
    if (!root) continue
    rows.push(
      '',
      `## ${root.name}`,
      '',
      `| operation | needs | ${ROLES.join(' | ')} |`,
      `| --- | --- |${' --- |'.repeat(ROLES.length)}`,
    )
    const fields = Object.values(root.getFields()).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const field of fields) {
      const requirements = requirementsOf(field)
      if (requirements.length === 0) withoutRule.push(`${root.name}.${field.name}`)
      const marks = ROLES.map((role) => (isAllowed(role, requirements) ? '✓' : ''))
      const bounded = tagsOf(field).includes(BOUNDED_TAG) ? ' (or there)' : ''
      rows.push(`| \`${field.name}\` | ${inWords(requirements)}${bounded} | ${marks.join(' | ')} |`)
    }
  }
  const markdown = [
    '# Roles and operations',
    '',
    'Generated from the schema by `npm run compose`: which built-in role may call what. A role of an organization may call',
    'what its scopes are enough for. _(or there)_: a scope that is held in one domain or team is enough for what is in it.',
    ...rows,
    '',
  ].join('\n')
  return { markdown, withoutRule }
}

/** Of the outer list one suffices, of an inner one all are needed; an empty inner one: whoever is known. */
type Requirement = string[][]

function requirementsOf(field: GraphQLField<unknown, unknown>): Requirement[] {
  const type = getNamedType(field.type)
  const nodes = [field.astNode, ...(isObjectType(type) ? [type.astNode, ...type.extensionASTNodes] : [])]
  return nodes.flatMap((node) => (node?.directives ?? []).flatMap((directive) => requirementOf(directive)))
}

function requirementOf(directive: ConstDirectiveNode): Requirement[] {
  if (directive.name.value === 'authenticated') return [[[]]]
  if (directive.name.value !== 'requiresScopes') return []
  const value = directive.arguments?.find(({ name }) => name.value === 'scopes')?.value
  const given: unknown = value === undefined ? [] : valueFromASTUntyped(value)
  return [
    Array.isArray(given) ? given.map((all) => (Array.isArray(all) ? all.map(String) : [String(all)])) : [],
  ]
}

const tagsOf = ({ astNode }: GraphQLField<unknown, unknown>): string[] =>
  (astNode?.directives ?? [])
    .filter(({ name }) => name.value === 'tag')
    .flatMap((directive) =>
      (directive.arguments ?? []).map(({ value }) => (value.kind === 'StringValue' ? value.value : '')),
    )

function isAllowed(role: Role, requirements: readonly Requirement[]): boolean {
  const held = new Set<string>(scopesOf([role]))
  return requirements.every((anyOf) => anyOf.some((allOf) => allOf.every((scope) => held.has(scope))))
}

const inWords = (requirements: readonly Requirement[]): string => {
  const each = requirements
    .filter((anyOf) => anyOf.every((allOf) => allOf.length > 0))
    .map((anyOf) => anyOf.map((allOf) => allOf.map((scope) => `\`${scope}\``).join(' + ')).join(' or '))
  return each.length === 0 ? 'a credential' : [...new Set(each)].join(', ')
}
