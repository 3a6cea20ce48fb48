import { createHmac } from 'node:crypto'
import { governedMutation } from '@tutti/schema'
import {
  type DocumentNode,
  type FieldNode,
  getArgumentValues,
  getDirectiveValues,
  getVariableValues,
  GraphQLIncludeDirective,
  type GraphQLSchema,
  GraphQLSkipDirective,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'

import type { PreparedOperation } from '../graph/prepare-operation.ts'
import { SECRET } from '../graph/without-secrets.ts'

/** A mutation of the catalogue of actions that an operation is about to do; as governance's `authorizeMutations` takes it. */
export interface GovernedCall {
  /** Its name in the answer. */
  key: string
  /** As `setBudget`. */
  field: string
  /** Of the catalogue. */
  action: string
  /** After variables; in place of secrets there is what says only whether they are the same. */
  arguments: Record<string, unknown>
  /** US dollars, where the catalogue says which argument it is; else null. */
  amount: number | null
}

/** Whether an operation names a mutation of the catalogue at all. */
export const isGoverned = ({ kind, document, operation }: PreparedOperation): boolean =>
  kind === 'mutation' &&
  rootFields(document, operation.selectionSet, () => true).some(({ name }) => governedMutation(name.value))

/** The mutations of the catalogue that an operation does with these variables, which must be valid. */
export function governedCalls(
  schema: GraphQLSchema,
  { document, operation }: PreparedOperation,
  variables: Record<string, unknown>,
  secret: string,
): GovernedCall[] {
  const { coerced = {} } = getVariableValues(schema, operation.variableDefinitions ?? [], variables)
  const isWanted = (node: SelectionNode): boolean =>
    getDirectiveValues(GraphQLSkipDirective, node, coerced)?.['if'] !== true &&
    getDirectiveValues(GraphQLIncludeDirective, node, coerced)?.['if'] !== false
  const calls = new Map<string, GovernedCall>()
  for (const node of rootFields(document, operation.selectionSet, isWanted)) {
    const field = node.name.value
    const key = node.alias?.value ?? field
    const governed = governedMutation(field)
    const definition = schema.getMutationType()?.getFields()[field]
    // Of the same name is the same call, whose selections are merged.
    if (!governed || !definition || calls.has(key)) continue
    const given = getArgumentValues(definition, node, coerced)
    calls.set(key, {
      key,
      field,
      action: governed.action,
      arguments: sealed(given, secret),
      amount: amountAt(given, governed.amount),
    })
  }
  return [...calls.values()]
}

function rootFields(
  document: DocumentNode,
  { selections }: SelectionSetNode,
  isWanted: (node: SelectionNode) => boolean,
): FieldNode[] {
  return selections.filter(isWanted).flatMap((node): FieldNode[] => {
    if (node.kind === Kind.FIELD) return [node]
    if (node.kind === Kind.INLINE_FRAGMENT) return rootFields(document, node.selectionSet, isWanted)
    return document.definitions.flatMap((each) =>
      each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === node.name.value
        ? rootFields(document, each.selectionSet, isWanted)
        : [],
    )
  })
}

/** Arguments without texts under keys that bear secrets: a keyed digest stands for each, so that another is another. */
function sealed(given: Record<string, unknown>, secret: string): Record<string, unknown> {
  const seal = (value: unknown, isSecret: boolean): unknown => {
    if (typeof value === 'string') return isSecret ? `[redacted ${digestOf(value, secret)}]` : value
    if (Array.isArray(value)) return value.map((each) => seal(each, isSecret))
    if (typeof value !== 'object' || value === null) return value
    return sealEntries(value, isSecret)
  }
  const sealEntries = (value: object, isSecret: boolean): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, seal(each, isSecret || SECRET.test(key))]),
    )
  return sealEntries(given, false)
}

const digestOf = (value: string, secret: string): string =>
  createHmac('sha256', secret).update(`argument/${value}`).digest('hex').slice(0, 32)

function amountAt(given: unknown, path: string | null): number | null {
  if (path === null) return null
  const found = path
    .split('.')
    .reduce<unknown>(
      (value, step) =>
        typeof value === 'object' && value !== null
          ? Object.entries(value).find(([key]) => key === step)?.[1]
          : null,
      given,
    )
  // Less than nothing would be within every bound: it is no amount, and what is not known is within none.
  return typeof found === 'number' && found >= 0 ? found : null
}
