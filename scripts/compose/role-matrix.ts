import {
  type ConstDirectiveNode,
  getNamedType,
  type GraphQLField,
  type GraphQLSchema,
  isObjectType,
  valueFromASTUntyped,
} from 'graphql'
import { governedMutation } from '../../schema/src/actions.ts'
import { BOUNDED_TAG } from '../../schema/src/place.ts'
import { isScope, ROLES, type Role, scopesOf } from '../../schema/src/roles.ts'
import { UNGOVERNED_MUTATIONS, UNGOVERNED_SCOPES } from '../../schema/src/ungoverned.ts'

/** Who may call what, as Markdown, and the operations that nobody was said to be let to. */
export interface RoleMatrix {
  markdown: string
  /** As `Mutation.startRun`. */
  withoutRule: string[]
  /** Mutations of no action of the catalogue, without a reason why authority is not asked about them. */
  withoutAction: string[]
}

/**
 * The matrix of built-in roles and operations of a supergraph, by the directives of its root fields and their types, and the
 * action that a mutation is of.
 */
export function roleMatrix(supergraph: GraphQLSchema): RoleMatrix {
  const roots = [supergraph.getQueryType(), supergraph.getMutationType(), supergraph.getSubscriptionType()]
  const rows: string[] = []
  const withoutRule: string[] = []
  const withoutAction: string[] = []
  const reasons = new Map<string, string[]>()
  for (const root of roots) {
    if (!root) continue
    const isMutation = root === supergraph.getMutationType()
    const columns = ['operation', 'needs', ...(isMutation ? ['action'] : []), ...ROLES]
    rows.push('', `## ${root.name}`, '', `| ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`)
    const fields = Object.values(root.getFields()).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const field of fields) {
      const requirements = requirementsOf(field)
      if (requirements.length === 0) withoutRule.push(`${root.name}.${field.name}`)
      const marks = ROLES.map((role) => (isAllowed(role, requirements) ? '✓' : ''))
      const bounded = tagsOf(field).includes(BOUNDED_TAG) ? ' (or there)' : ''
      const action = governedMutation(field.name)?.action
      const cells = [`\`${field.name}\``, `${inWords(requirements)}${bounded}`]
      if (isMutation) cells.push(action === undefined ? '' : `\`${action}\``)
      rows.push(`| ${[...cells, ...marks].join(' | ')} |`)
      if (!isMutation || action !== undefined) continue
      const reason = whyUngoverned(field.name, requirements)
      if (reason === undefined) withoutAction.push(field.name)
      else reasons.set(reason, [...(reasons.get(reason) ?? []), `\`${field.name}\``])
    }
  }
  const markdown = [
    '# Roles and operations',
    '',
    'Generated from the schema by `npm run compose`: which built-in role may call what. A role of an organization may call',
    'what its scopes are enough for. _(or there)_: a scope that is held in one domain or team is enough for what is in it.',
    'Of a mutation there is the action, about which authority and policies are asked before it is done.',
    ...rows,
    ...(reasons.size === 0 ? [] : ['', '## Mutations that authority is not asked about', '']),
    ...[...reasons].map(([reason, names]) => `- ${reason} ${names.join(', ')}`),
    '',
  ].join('\n')
  return { markdown, withoutRule, withoutAction }
}

/** Why authority is not asked about a mutation: for itself, or since each of the scopes that suffice says so. */
function whyUngoverned(mutation: string, requirements: readonly Requirement[]): string | undefined {
  if (Object.hasOwn(UNGOVERNED_MUTATIONS, mutation)) return UNGOVERNED_MUTATIONS[mutation]
  const scopes = requirements.flat(2)
  const reasons = scopes.map((scope) => (isScope(scope) ? UNGOVERNED_SCOPES[scope] : undefined))
  return reasons.includes(undefined) ? undefined : reasons[0]
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
