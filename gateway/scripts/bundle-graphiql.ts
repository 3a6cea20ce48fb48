import { join } from 'node:path'

const gateway = join(import.meta.dirname, '..')

/** Where the bundle goes, and the files it is made of (to know when to make it again). */
export const GRAPHIQL_BUNDLE = {
  directory: gateway,
  inputs: ['graphiql/*', 'scripts/bundle-graphiql.ts', 'package.json'],
  output: join(gateway, 'generated/graphiql'),
}

/** Bundles GraphiQL with everything it needs into static files, offline. */
export async function bundleGraphiql(): Promise<void> {
  // Loaded only when there is something to bundle: `generate` runs at every start.
  const { build } = await import('vite')
  await build({
    root: join(gateway, 'graphiql'),
    base: '/graphql/assets/',
    configFile: false,
    logLevel: 'error',
    worker: { format: 'es' },
    build: {
      outDir: GRAPHIQL_BUNDLE.output,
      emptyOutDir: true,
      assetsDir: '.',
      reportCompressedSize: false,
      chunkSizeWarningLimit: 10_000,
      modulePreload: false,
    },
  })
}

if (import.meta.main) await bundleGraphiql()
