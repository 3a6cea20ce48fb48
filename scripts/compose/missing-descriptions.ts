import {
  type GraphQLArgument,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql'

/**
 * Schema coordinates (`Run.tasks(first:)`) of everything without a description: types, fields, arguments, input fields,
 * enum values. The three root types need none.
 */
export function missingDescriptions(schema: GraphQLSchema): string[] {
  const missing: string[] = []
  const need = (coordinate: string, described: { description?: string | null | undefined }) => {
    if (!described.description?.trim()) missing.push(coordinate)
  }
  const needArguments = (owner: string, args: readonly GraphQLArgument[]) => {
    for (const arg of args) need(`${owner}(${arg.name}:)`, arg)
  }
  const roots = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()])

  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue
    if (!(isObjectType(type) && roots.has(type))) need(type.name, type)
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        need(`${type.name}.${field.name}`, field)
        needArguments(`${type.name}.${field.name}`, field.args)
      }
    } else if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) need(`${type.name}.${field.name}`, field)
    } else if (isEnumType(type)) {
      for (const value of type.getValues()) need(`${type.name}.${value.name}`, value)
    }
  }
  return missing
}
