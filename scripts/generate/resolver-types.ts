import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { readSubgraphSdl } from '@tutti/schema'

import { whenChanged } from './when-changed.ts'

/**
 * Writes `generated/resolvers.ts` of the subgraph in `directory`: types of its SDL and of its resolvers. The context is
 * `Context` of `src/context.ts`; `codegen.mappers.json` says which row type stands behind a GraphQL type
 * (`{"Agent": "../src/agents/agent-row.ts#AgentRow"}`, paths seen from `generated/`). A subgraph without SDL is left alone.
 */
export async function generateResolverTypes(directory: string, options: { force: boolean }): Promise<void> {
  const sdl = readSubgraphSdl(join(directory, 'src'))
  if (sdl === '') return
  const output = join(directory, 'generated')
  const mappersFile = join(directory, 'codegen.mappers.json')
  const mappers = existsSync(mappersFile) ? readFileSync(mappersFile, 'utf8') : '{}'

  await whenChanged(
    {
      directory,
      inputs: [],
      also: [sdl, mappers, readFileSync(import.meta.filename, 'utf8')],
      output,
      force: options.force,
    },
    async () => {
      // Loaded here because loading costs more than everything else when nothing has changed.
      const { parse } = await import('graphql')
      const { codegen } = await import('@graphql-codegen/core')
      const typescript = await import('@graphql-codegen/typescript')
      const resolvers = await import('@graphql-codegen/typescript-resolvers')
      const filename = join(output, 'resolvers.ts')
      const code = await codegen({
        schema: parse(sdl),
        documents: [],
        filename,
        plugins: [{ typescript: {} }, { resolvers: {} }],
        pluginMap: { typescript, resolvers },
        config: {
          federation: true,
          // The header links Federation 2; what this would inject are Federation 1's definitions.
          disableFederationDirectiveAndScalarInjection: true,
          enumsAsTypes: true,
          useTypeImports: true,
          strictScalars: true,
          scalars: {
            ID: 'string',
            DateTime: { input: 'Date', output: 'Date | string' },
            Duration: 'string',
            JSON: 'unknown',
            UUID: 'string',
          },
          contextType: '../src/context.ts#Context',
          mappers: JSON.parse(mappers),
        },
      })
      writeFileSync(filename, `// Generated from the subgraph's .graphql files: npm run generate.\n${code}`)
    },
  )
}
