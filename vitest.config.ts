import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'

// Each test file is a process, and the flows start many more: they compile the same libraries, once for all of them.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/node')

export default defineConfig({
  // Vite prefers `module` over `main`: our files would get graphql's ES modules and the libraries, loaded by Node itself,
  // its CommonJS ones. Those are two graphqls, and they refuse each other's types.
  resolve: { alias: [{ find: /^graphql$/, replacement: import.meta.resolve('graphql') }] },
  test: {
    include: [
      '{schema,prisma,runtime,workers,gateway,standalone}/src/**/*.test.ts',
      'subgraphs/*/src/**/*.test.ts',
      'packages/*/src/**/*.test.ts',
      'examples/**/*.test.ts',
      'scripts/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/generated/**', '**/.tutti/**'],
    globalSetup: ['test/global-setup.ts'],
    // Real processes, sockets and databases: a fork can be killed whole, a thread cannot.
    pool: 'forks',
    // Of two cores: the files that start platforms wait for leases and deadlines half of their time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 120_000,
    passWithNoTests: false,
    reporters: ['default'],
  },
})
