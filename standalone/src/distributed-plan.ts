import { join, resolve } from 'node:path'
import type { z } from 'zod'
import type { distributedEnvironment } from './environment.ts'
import { freePort } from './free-port.ts'
import { workerNames } from './standalone-plan.ts'
import type { Plan } from './start-tutti.ts'

/** The subgraphs, each a process of its own when distributed. */
export const SUBGRAPHS = ['agents', 'workflows', 'governance', 'metrics', 'knowledge'] as const

const ROOT = join(import.meta.dirname, '../..')

/**
 * The same processes as on many machines: gateway, each subgraph, workers; calls between them go over HTTP. Subgraphs
 * listen on 127.0.0.1 at BASE_PORT and the four ports after it, or at free ones.
 */
export async function distributedPlan(environment: z.infer<typeof distributedEnvironment>): Promise<Plan> {
  const ports = new Map<string, number>()
  for (const [index, name] of SUBGRAPHS.entries()) {
    let port = environment.BASE_PORT === undefined ? await freePort() : environment.BASE_PORT + index
    // Nobody listens yet on what was found a moment ago: it could be found again.
    while ([...ports.values()].includes(port)) port = await freePort()
    ports.set(name, port)
  }
  const urls = Object.fromEntries(
    [...ports].map(([name, port]) => [`SUBGRAPH_${name.toUpperCase()}_URL`, `http://127.0.0.1:${port}`]),
  )
  const common = { LOG_LEVEL: environment.LOG_LEVEL, REDIS_URL: environment.REDIS_URL }
  return {
    directory: resolve(environment.TUTTI_DIRECTORY),
    host: environment.HOST,
    port: environment.PORT,
    databaseUrl: environment.DATABASE_URL,
    secret: environment.TUTTI_SECRET,
    prepare: join(import.meta.dirname, 'prepare.ts'),
    eager: false,
    processes: (given) => [
      ...[...ports].map(([name, port]) => ({
        name,
        entry: join(ROOT, 'subgraphs', name, 'src/main.ts'),
        env: { ...given, ...common, HOST: '127.0.0.1', PORT: String(port) },
      })),
      {
        name: 'gateway',
        entry: join(ROOT, 'gateway/src/main.ts'),
        env: { ...given, ...common, ...urls, HOST: environment.HOST, PORT: String(environment.PORT) },
      },
      ...workerNames(environment.WORKERS).map((name) => ({
        name,
        entry: join(ROOT, 'workers/src/main.ts'),
        env: { ...given, ...common, PORT: undefined },
      })),
    ],
  }
}
