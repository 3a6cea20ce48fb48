import { BOUNDED_TAG } from '@tutti/schema'
import {
  type ASTNode,
  buildASTSchema,
  type ConstDirectiveNode,
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  valueFromASTUntyped,
} from 'graphql'

import { bothOf, type Requirement } from './requirement.ts'

const ENFORCED = ['authenticated', 'requiresScopes', 'policy'] as const
const PERSONAL_TAG = 'personal'

/** The supergraph's security directives, ready to be asked per type and field. */
export interface SecurityRules {
  schema: GraphQLSchema
  /** False when no type and no field carries a security directive. */
  any: boolean
  ofType(type: GraphQLNamedType): Requirement | null
  /** Of a field selected on `parent`; on an interface or union it includes every possible type's own. */
  ofField(parent: GraphQLNamedType, field: string): Requirement | null
  /** Marked `@tag(name: "personal")`: the answer depends on the person, not only on tenant and authority. */
  isPersonal(parent: GraphQLNamedType, field: string): boolean
  /** Marked `@tag(name: "bounded")`: it looks itself at where its caller may. */
  isBounded(parent: GraphQLNamedType, field: string): boolean
}

/**
 * Reads the rules from the full supergraph SDL, under whatever names its `@link`s gave the directives.
 * Throws on a feature marked `for: SECURITY` that is none of ours: serving it unenforced would open it.
 */
export function readSecurityRules(sdl: string): SecurityRules {
  const document = parse(sdl, { noLocation: true })
  const names = directiveNames(document)
  const schema = buildASTSchema(document, { assumeValid: true, assumeValidSDL: true })
  const types = new Map<string, Requirement | null>()
  const fields = new Map<string, Requirement | null>()
  const personal = new Set<string>()
  const bounded = new Set<string>()

  for (const type of Object.values(schema.getTypeMap())) {
    types.set(type.name, requirementOf(type.astNode, names))
    if (!isObjectType(type) && !isInterfaceType(type)) continue
    for (const field of Object.values(type.getFields())) {
      fields.set(`${type.name}.${field.name}`, requirementOf(field.astNode, names))
      if (isTagged(field.astNode, names, PERSONAL_TAG)) personal.add(`${type.name}.${field.name}`)
      if (isTagged(field.astNode, names, BOUNDED_TAG)) bounded.add(`${type.name}.${field.name}`)
    }
  }

  const possibleTypes = (type: GraphQLNamedType) =>
    isAbstractType(type) ? schema.getPossibleTypes(type) : []
  return {
    schema,
    any: [...types.values(), ...fields.values()].some((requirement) => requirement !== null),
    ofType: (type) => types.get(type.name) ?? null,
    ofField: (parent, field) =>
      possibleTypes(parent).reduce<Requirement | null>(
        (sum, type) =>
          bothOf(sum, bothOf(types.get(type.name) ?? null, fields.get(`${type.name}.${field}`) ?? null)),
        fields.get(`${parent.name}.${field}`) ?? null,
      ),
    isPersonal: (parent, field) =>
      personal.has(`${parent.name}.${field}`) ||
      possibleTypes(parent).some((type) => personal.has(`${type.name}.${field}`)),
    isBounded: (parent, field) => bounded.has(`${parent.name}.${field}`),
  }
}

type DirectiveNames = Map<string, (typeof ENFORCED)[number] | 'tag'>

/** Name in this SDL → directive, by the `@link`s of its schema definition. */
function directiveNames(document: DocumentNode): DirectiveNames {
  const names: DirectiveNames = new Map()
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.SCHEMA_DEFINITION && definition.kind !== Kind.SCHEMA_EXTENSION) continue
    for (const directive of definition.directives ?? []) {
      if (directive.name.value !== 'link' && directive.name.value !== 'core') continue
      const url = argument(directive, 'url') ?? argument(directive, 'feature')
      if (typeof url !== 'string') continue
      const feature = url.split('/').at(-2) ?? ''
      const as = argument(directive, 'as')
      const known = [...ENFORCED, 'tag' as const].find((name) => name === feature)
      if (known !== undefined) names.set(typeof as === 'string' ? as : known, known)
      else if (argument(directive, 'for') === 'SECURITY') {
        throw new Error(
          `The supergraph uses ${url}, marked for: SECURITY, which this gateway does not enforce.`,
        )
      }
    }
  }
  return names
}

function requirementOf(node: DirectiveBearer, names: DirectiveNames): Requirement | null {
  let sum: Requirement | null = null
  for (const directive of node?.directives ?? []) {
    const kind = names.get(directive.name.value)
    if (kind === undefined || kind === 'tag') continue
    sum = bothOf(sum, {
      authenticated: true,
      scopes: kind === 'requiresScopes' ? [alternatives(directive, 'scopes')] : [],
      policies: kind === 'policy' ? [alternatives(directive, 'policies')] : [],
    })
  }
  return sum
}

type DirectiveBearer = (ASTNode & { readonly directives?: readonly ConstDirectiveNode[] }) | null | undefined

function isTagged(node: DirectiveBearer, names: DirectiveNames, tag: string): boolean {
  return (node?.directives ?? []).some(
    (directive) => names.get(directive.name.value) === 'tag' && argument(directive, 'name') === tag,
  )
}

function alternatives(directive: ConstDirectiveNode, name: string): string[][] {
  const value = argument(directive, name)
  return Array.isArray(value)
    ? value.map((all) => (Array.isArray(all) ? all.map(String) : [String(all)]))
    : []
}

function argument(directive: ConstDirectiveNode, name: string): unknown {
  const node = directive.arguments?.find((each) => each.name.value === name)
  return node === undefined ? undefined : valueFromASTUntyped(node.value)
}
