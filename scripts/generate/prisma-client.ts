import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

import { whenChanged } from './when-changed.ts'

const resolve = createRequire(import.meta.url).resolve

/**
 * Generates the Prisma client of `directory/models/*.prisma` into `directory/generated`, without a network.
 * Throws with Prisma's own output when the models are wrong.
 */
export async function generatePrismaClient(directory: string, options: { force: boolean }): Promise<void> {
  const packageFile = resolve('prisma/package.json')
  await whenChanged(
    {
      directory,
      inputs: ['models/**/*.prisma', 'prisma.config.ts'],
      also: [readFileSync(packageFile, 'utf8'), readFileSync(import.meta.filename, 'utf8')],
      output: join(directory, 'generated'),
      force: options.force,
    },
    async () => {
      const result = spawnSync(
        process.execPath,
        [
          join(dirname(packageFile), 'build/index.js'),
          'generate',
          '--config',
          'prisma.config.ts',
          '--no-hints',
        ],
        {
          cwd: directory,
          encoding: 'utf8',
          env: {
            ...process.env,
            // The client needs no engine, but `generate` downloads one unless it finds a file here: any file will do.
            PRISMA_SCHEMA_ENGINE_BINARY: process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ?? process.execPath,
            PRISMA_HIDE_UPDATE_MESSAGE: '1',
            CHECKPOINT_DISABLE: '1',
          },
        },
      )
      if (result.error) throw result.error
      if (result.status !== 0) throw new Error(`prisma generate failed:\n${result.stdout}\n${result.stderr}`)
    },
  )
}
