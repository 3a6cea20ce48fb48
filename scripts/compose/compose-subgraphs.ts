import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { composeServices } from '@apollo/composition'
import { readSubgraphSdl } from '@tutti/schema'
import { type GraphQLSchema, lexicographicSortSchema, parse, printSchema } from 'graphql'

/** What composition gives: the gateway's document, the client's document, the client's schema, warnings. */
export type Composed = { supergraph: string; api: string; apiSchema: GraphQLSchema; warnings: string[] }

/**
 * Composes every subgraph below `directory` (its `.graphql` files under `<name>/src`). The address in the supergraph is a name,
 * not a place: each topology puts its own there. Throws one error with every mistake of the composition, readable.
 */
export function composeSubgraphs(directory: string): Composed {
  const services = readdirSync(directory)
    .sort()
    .map((name) => ({ name, sdl: readSubgraphSdl(join(directory, name, 'src')) }))
    .filter(({ sdl }) => sdl !== '')
    .map(({ name, sdl }) => ({ name, url: `http://${name}/graphql`, typeDefs: parseSdl(name, sdl) }))
  if (services.length === 0) throw new Error(`No subgraph in ${directory} has a .graphql file`)

  const result = composeServices(services)
  if (result.errors) {
    throw new Error(
      `The subgraphs do not compose:\n${result.errors.map((error) => `  - ${error.message}`).join('\n')}`,
    )
  }
  const apiSchema = lexicographicSortSchema(result.schema.toAPISchema().toGraphQLJSSchema())
  return {
    supergraph: endWithNewline(result.supergraphSdl),
    api: endWithNewline(printSchema(apiSchema)),
    apiSchema,
    warnings: result.hints
      .filter((hint) => hint.definition.level.name === 'WARN')
      .map((hint) => hint.message),
  }
}

function parseSdl(name: string, sdl: string) {
  try {
    return parse(sdl)
  } catch (error) {
    throw new Error(`The SDL of subgraph ${name} cannot be read: ${String(error)}`, { cause: error })
  }
}

function endWithNewline(text: string): string {
  return `${text.trimEnd()}\n`
}
