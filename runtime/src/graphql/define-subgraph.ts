import { buildSubgraphSchema } from '@apollo/subgraph'
import { type Actor, readSubgraphSdl } from '@tutti/schema'
import { type GraphQLSchema, parse } from 'graphql'
import { DateTimeResolver, JSONResolver } from 'graphql-scalars'
import { guardSchema } from './guard-schema.ts'

type Modules = Exclude<Parameters<typeof buildSubgraphSchema>[0], unknown[]>
type ResolverMap = NonNullable<Extract<Modules, { resolvers?: unknown }>['resolvers']>

export interface SubgraphDefinition<Services, Context extends { actor: Actor }> {
  name: string
  /** The subgraph's `src`: its `.graphql` files are found below. */
  directory: string
  resolvers: object
  context(services: Services, actor: Actor): Context
}

/** A subgraph ready to be executed in process or served over HTTP. */
export interface Subgraph<Services> {
  readonly name: string
  readonly sdl: string
  readonly schema: GraphQLSchema
  context(services: Services, actor: Actor): { actor: Actor }
}

/**
 * Builds the executable schema once: SDL from files, federation's `_entities`, our scalars, and the security
 * directives enforced on every field (the gateway does so as well; a subgraph does not rely on it).
 */
export function defineSubgraph<Services, Context extends { actor: Actor }>(
  definition: SubgraphDefinition<Services, Context>,
): Subgraph<Services> {
  const sdl = readSubgraphSdl(definition.directory)
  const resolvers = { DateTime: DateTimeResolver, JSON: JSONResolver, ...definition.resolvers } as ResolverMap
  const schema = guardSchema(buildSubgraphSchema({ typeDefs: parse(sdl), resolvers }))
  return { name: definition.name, sdl, schema, context: definition.context }
}
