import { type Schema, Supergraph } from '@apollo/federation-internals'
import { QueryPlanner } from '@apollo/query-planner'
import type { GraphQLSchema } from 'graphql'

import { readSecurityRules, type SecurityRules } from '../authorization/security-rules.ts'

/** One version of the composed graph: what clients see, how it is planned, and who may see what. */
export interface Graph {
  sdl: string
  /** The schema clients see; introspection answers from it. */
  apiSchema: GraphQLSchema
  planner: QueryPlanner
  /** `@apollo/federation-internals`' forms of both schemas, which planner and executor want. */
  internals: { api: Schema; supergraph: GraphQLSchema }
  security: SecurityRules
  /** Names of the subgraphs, as composed. */
  subgraphs: string[]
}

/**
 * Builds the graph from a supergraph SDL that may use the security directives: `supportedFeatures: null`
 * makes the planner ignore what `@apollo/gateway` would refuse, because enforcing it is our own work
 * (`admit`). Throws when the SDL marks a feature `for: SECURITY` that we do not enforce.
 */
export function loadGraph(sdl: string): Graph {
  const supergraph = Supergraph.build(sdl, { supportedFeatures: null, validateSupergraph: false })
  const api = supergraph.apiSchema()
  return {
    sdl,
    apiSchema: api.toGraphQLJSSchema(),
    planner: new QueryPlanner(supergraph),
    internals: { api, supergraph: supergraph.schema.toGraphQLJSSchema() },
    security: readSecurityRules(sdl),
    subgraphs: [...supergraph.subgraphsMetadata()].map((subgraph) => subgraph.name),
  }
}
