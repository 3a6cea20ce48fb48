// Writes the code nobody writes by hand: the Prisma client, the resolver types of each subgraph, GraphiQL's bundle. Works offline,
// and does nothing (a few milliseconds) while the inputs are those of the last time.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { bundleGraphiql, GRAPHIQL_BUNDLE } from '../gateway/scripts/bundle-graphiql.ts'
import { generatePrismaClient } from './generate/prisma-client.ts'
import { generateResolverTypes } from './generate/resolver-types.ts'
import { whenChanged } from './generate/when-changed.ts'

const root = join(import.meta.dirname, '..')
const force = process.argv.includes('--force')

if (existsSync(join(root, 'prisma/models'))) await generatePrismaClient(join(root, 'prisma'), { force })
for (const name of readdirSync(join(root, 'subgraphs')).sort()) {
  await generateResolverTypes(join(root, 'subgraphs', name), { force })
}
await whenChanged({ ...GRAPHIQL_BUNDLE, also: [], force }, bundleGraphiql)
