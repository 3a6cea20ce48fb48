import {
  type DocumentNode,
  type FieldNode,
  getNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parseType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'

/** Alias under which every event brings its cursor, whatever the client selected. */
export const CURSOR_ALIAS = '__cursor'
/** Variable that holds the cursor to go on from. */
export const AFTER_VARIABLE = '__after'

const AFTER = 'after'
const CURSOR = 'cursor'

/** A subscription's document, rewritten so that it can be resumed and shared. */
export interface ResumableDocument {
  document: DocumentNode
  /** False when the field has no `after` argument or its events no `cursor`: then nothing was rewritten. */
  resumable: boolean
  /** Where the client says from where to go on: a variable of its own, or a literal in its document. */
  after: { variable: string } | { literal: string } | null
  /** Variables that only said `after`; two subscriptions that differ in them are the same otherwise. */
  ownVariables: string[]
}

/**
 * Selects the cursor on the root field's events and moves its `after` argument into a variable of ours. The
 * operation's name goes too: it changes nothing in the answer.
 */
export function withCursor(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): ResumableDocument {
  const root = schema.getSubscriptionType()
  if (root === null || root === undefined) throw new Error('The graph has no subscriptions')
  const named = new Set<string>()
  let after: ResumableDocument['after'] = null
  let afterType: string | null = null

  const info = new TypeInfo(schema)
  const rewritten: DocumentNode = visit(
    document,
    visitWithTypeInfo(info, {
      Field: {
        leave: (field) => {
          const resumed = info.getParentType() === root ? resumedField(root, field) : null
          if (resumed === null) return undefined
          afterType = resumed.afterType
          after = resumed.after ?? after
          return resumed.field
        },
      },
    }),
  )
  if (afterType === null) {
    return {
      document: unnamed(document, operation.name?.value),
      resumable: false,
      after: null,
      ownVariables: [],
    }
  }
  const type = parseType(afterType)
  visit(rewritten, {
    VariableDefinition: () => false,
    Variable: (variable) => {
      named.add(variable.name.value)
    },
  })
  const own = (operation.variableDefinitions ?? [])
    .map((definition) => definition.variable.name.value)
    .filter((name) => !named.has(name))
  const withVariable = visit(rewritten, {
    OperationDefinition: (node) => ({
      ...node,
      variableDefinitions: [
        ...(node.variableDefinitions ?? []).filter(
          (definition) => !own.includes(definition.variable.name.value),
        ),
        {
          kind: Kind.VARIABLE_DEFINITION,
          variable: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: AFTER_VARIABLE } },
          type,
        },
      ],
    }),
  })
  return { document: unnamed(withVariable, operation.name?.value), resumable: true, after, ownVariables: own }
}

interface ResumedField {
  field: FieldNode
  after: ResumableDocument['after']
  afterType: string
}

function resumedField(root: GraphQLObjectType, field: FieldNode): ResumedField | null {
  const definition = root.getFields()[field.name.value]
  const argument = definition?.args.find((each) => each.name === AFTER)
  const events = definition === undefined ? null : getNamedType(definition.type)
  if (argument === undefined || isNonNullType(argument.type) || field.selectionSet === undefined) return null
  if (!isObjectType(events) && !isInterfaceType(events)) return null
  if (events.getFields()[CURSOR] === undefined) return null

  const given = field.arguments?.find((each) => each.name.value === AFTER)?.value
  const after =
    given?.kind === Kind.VARIABLE
      ? { variable: given.name.value }
      : given?.kind === Kind.STRING
        ? { literal: given.value }
        : null
  return {
    after,
    afterType: String(argument.type),
    field: {
      ...field,
      arguments: [
        ...(field.arguments ?? []).filter((each) => each.name.value !== AFTER),
        {
          kind: Kind.ARGUMENT,
          name: { kind: Kind.NAME, value: AFTER },
          value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: AFTER_VARIABLE } },
        },
      ],
      selectionSet: {
        ...field.selectionSet,
        selections: [
          ...field.selectionSet.selections,
          {
            kind: Kind.FIELD,
            alias: { kind: Kind.NAME, value: CURSOR_ALIAS },
            name: { kind: Kind.NAME, value: CURSOR },
          },
        ],
      },
    },
  }
}

function unnamed(document: DocumentNode, name: string | undefined): DocumentNode {
  if (name === undefined) return document
  return visit(document, { OperationDefinition: ({ name: _, ...node }) => node })
}
