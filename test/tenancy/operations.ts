import {
  getNamedType,
  getNullableType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql'
import type { Leaf, Naming } from './arguments.ts'
import type { Possessions } from './possessions.ts'

/** A field that takes arguments: of a root type, or of an entity that a root field leads to. */
export interface Door {
  operation: 'query' | 'mutation' | 'subscription'
  type: string
  field: GraphQLField<unknown, unknown>
  /** The root field by which one comes to it. */
  host?: string
}

/** One argument or input field through which something can be named. */
export interface Place {
  door: Door
  /** As `Query.run(id:)` or `StartRunInput.workflowId`. */
  coordinate: string
  /** From the argument's name inwards; lists are passed through. */
  path: string[]
}

/** Every field with arguments of a schema. */
export function doorsOf(schema: GraphQLSchema): Door[] {
  const roots = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  }
  const doors: Door[] = []
  for (const [operation, root] of Object.entries(roots)) {
    for (const field of Object.values(root?.getFields() ?? {})) {
      doors.push({ operation: operation as Door['operation'], type: root?.name ?? '', field })
    }
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__') || Object.values(roots).includes(type)) continue
    for (const field of Object.values(type.getFields()).filter(({ args }) => args.length > 0)) {
      const host = Object.values(roots.query?.getFields() ?? {}).find(
        (each) => getNamedType(each.type) === type && each.args.some((argument) => argument.name === 'id'),
      )
      if (!host) throw new Error(`${type.name}.${field.name} takes arguments and no root field leads to it.`)
      doors.push({ operation: 'query', type: type.name, field, host: host.name })
    }
  }
  return doors
}

/** Every place of a door; numbers, flags, enums and times name nothing. */
export function placesOf(door: Door): Place[] {
  const places: Place[] = []
  const walk = (type: GraphQLInputType, coordinate: string, path: string[]): void => {
    const named = getNamedType(type)
    if (isInputObjectType(named)) {
      for (const field of Object.values(named.getFields()))
        walk(field.type, `${named.name}.${field.name}`, [...path, field.name])
    } else if (!isEnumType(named) && !['Int', 'Float', 'Boolean', 'DateTime'].includes(named.name)) {
      places.push({ door, coordinate, path })
    }
  }
  for (const { name, type } of door.field.args)
    walk(type, `${door.type}.${door.field.name}(${name}:)`, [name])
  return places
}

/** A naming with the value it has in this call. */
export interface Filled {
  place: Place
  naming: Naming
  value: string
}

let hours = 0
/** A moment to come, an hour after the one before: what asks for two has a time between them. */
const nextHour = (): string => new Date(Date.now() + (hours += 1) * 3_600_000).toISOString()

/** Arguments of a door for this caller: what is required, and what is in question. */
export function argumentsOf(
  door: Door,
  leaves: Record<string, Leaf>,
  caller: Possessions,
  filled?: Filled,
): Record<string, unknown> {
  const questioned = filled?.place.path.join('.') ?? ''
  const insteadOf = filled && leaves[filled.place.coordinate]?.insteadOf

  const build = (type: GraphQLInputType, coordinate: string, path: string[]): unknown => {
    const nullable = getNullableType(type)
    if (isListType(nullable)) return [build(nullable.ofType, coordinate, path)]
    if (isInputObjectType(nullable)) {
      const fields = Object.values(nullable.getFields()).filter((field) =>
        wanted(field, isRequiredInputField(field), `${nullable.name}.${field.name}`, [...path, field.name]),
      )
      return Object.fromEntries(
        fields.map((field) => [
          field.name,
          build(field.type, `${nullable.name}.${field.name}`, [...path, field.name]),
        ]),
      )
    }
    if (filled && path.join('.') === questioned)
      return filled.naming.within?.(filled.value, caller) ?? filled.value
    if (isEnumType(nullable)) return nullable.getValues()[0]?.name
    if (['Int', 'Float'].includes(String(nullable))) return 1
    if (String(nullable) === 'DateTime') return nextHour()
    const base = leaves[coordinate]?.base
    if (!base) throw new Error(`${coordinate} is required and arguments.ts has no value for it.`)
    return base(caller)
  }
  const wanted = (
    { name }: GraphQLArgument | GraphQLInputField,
    required: boolean,
    coordinate: string,
    path: string[],
  ): boolean => {
    const here = path.join('.')
    if (here === questioned || questioned.startsWith(`${here}.`)) return true
    return (required || leaves[coordinate]?.always === true) && name !== insteadOf
  }
  return Object.fromEntries(
    door.field.args
      .map((argument) => ({ argument, coordinate: `${door.type}.${door.field.name}(${argument.name}:)` }))
      .filter(({ argument, coordinate }) =>
        wanted(argument, isRequiredArgument(argument), coordinate, [argument.name]),
      )
      .map(({ argument, coordinate }) => [argument.name, build(argument.type, coordinate, [argument.name])]),
  )
}

/** The document that calls a door with these arguments as variables. `hostId` is a variable too where it has a host. */
export function documentOf(
  { operation, field, host }: Door,
  given: Record<string, unknown>,
  depth = 3,
): string {
  const used = field.args.filter(({ name }) => name in given)
  const variables = used.map(({ name, type }) => `$${name}: ${String(type)}`)
  const values = used.map(({ name }) => `${name}: $${name}`)
  const named = getNamedType(field.type)
  const selection = isObjectType(named) ? ` { ${selectionOf(named, depth)} }` : ''
  const call = `${field.name}${values.length > 0 ? `(${values.join(', ')})` : ''}${selection}`
  if (host) variables.push('$hostId: ID!')
  const head = variables.length > 0 ? `${operation}(${variables.join(', ')})` : operation
  return `${head} { ${host ? `${host}(id: $hostId) { ${call} }` : call} }`
}

/** Everything of a type, this many objects deep. */
export function selectionOf(type: GraphQLObjectType, depth: number): string {
  const fields = ['__typename']
  for (const { name, type: fieldType, args } of Object.values(type.getFields())) {
    if (args.some(isRequiredArgument)) continue
    const named = getNamedType(fieldType)
    if (!isObjectType(named)) fields.push(name)
    // A connection's edges say what its nodes say.
    else if (name === 'edges') fields.push('edges { cursor }')
    else if (depth > 1) fields.push(`${name} { ${selectionOf(named, depth - 1)} }`)
  }
  return fields.join(' ')
}
