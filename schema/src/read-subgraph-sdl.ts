import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { FEDERATION_HEADER } from './federation-header.ts'

/**
 * One subgraph's SDL: the shared federation header once, then every `.graphql` file under `directory`
 * (a subgraph's `src`), sorted by path so that the same files always give the same text.
 * Empty when the directory holds no `.graphql` file.
 */
export function readSubgraphSdl(directory: string): string {
  const files = globSync('**/*.graphql', { cwd: directory }).sort()
  if (files.length === 0) return ''
  return [FEDERATION_HEADER, ...files.map((file) => readFileSync(join(directory, file), 'utf8'))].join('\n')
}
