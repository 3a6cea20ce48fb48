import { composeServices } from '@apollo/composition'
import { parse } from 'graphql'

import { SUBGRAPH_SDL } from './subgraph-sdl.ts'

/** The test subgraphs' supergraph; without its security directives for benches beside gateways that refuse them. */
export function composeTestGraph(options: { open?: boolean; urls?: Record<string, string> } = {}): string {
  const services = Object.entries(testSdl(options.open ?? false)).map(([name, sdl]) => ({
    name,
    url: options.urls?.[name] ?? `http://127.0.0.1:9/${name}`,
    typeDefs: parse(sdl),
  }))
  const { supergraphSdl, errors } = composeServices(services)
  if (supergraphSdl === undefined)
    throw new Error(`composition failed: ${errors?.map((error) => error.message).join('; ')}`)
  return supergraphSdl
}

/** Each subgraph's SDL by name. */
export function testSdl(open: boolean): Record<string, string> {
  if (!open) return { ...SUBGRAPH_SDL }
  return Object.fromEntries(
    Object.entries(SUBGRAPH_SDL).map(([name, sdl]) => [
      name,
      sdl
        .replace(/, "@authenticated", "@requiresScopes", "@policy"/, '')
        .replace(/ @authenticated| @(requiresScopes|policy)\([a-z]+: \[.*?\]\]\)/g, ''),
    ]),
  )
}
