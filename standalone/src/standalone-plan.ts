import { join, resolve } from 'node:path'
import type { z } from 'zod'
import type { standaloneEnvironment } from './environment.ts'
import type { Plan } from './start-tutti.ts'

/** The modules that the processes run; tests put their own in. */
export interface Entries {
  readonly prepare: string
  readonly door: string
  readonly worker: string
}

const ENTRIES: Entries = {
  prepare: join(import.meta.dirname, 'prepare.ts'),
  door: join(import.meta.dirname, 'door.ts'),
  worker: join(import.meta.dirname, 'worker.ts'),
}

// Half of V8's default for young objects: 130 MB less for door and worker after the example's 200 messages, at the same
// speed (tried).
const LEAN = ['--max-semi-space-size=8']

/** Everything on one machine in few processes: one door with gateway and subgraphs, and the workers. */
export function standalonePlan(
  environment: z.infer<typeof standaloneEnvironment>,
  entries: Entries = ENTRIES,
): Plan {
  const common = { LOG_LEVEL: environment.LOG_LEVEL, REDIS_URL: environment.REDIS_URL }
  return {
    directory: resolve(environment.TUTTI_DIRECTORY),
    host: environment.HOST,
    port: environment.PORT,
    databaseUrl: environment.DATABASE_URL,
    secret: environment.TUTTI_SECRET,
    prepare: entries.prepare,
    eager: true,
    processes: () => [
      {
        name: 'door',
        entry: entries.door,
        env: { ...common, HOST: environment.HOST, PORT: String(environment.PORT) },
      },
      ...workerNames(environment.WORKERS).map((name) => ({
        name,
        entry: entries.worker,
        execArgv: LEAN,
        env: { ...common, PORT: undefined },
      })),
    ],
  }
}

/** `worker`, or `worker-1`, `worker-2`, … when there are several. */
export function workerNames(count: number): string[] {
  return count === 1 ? ['worker'] : Array.from({ length: count }, (_, index) => `worker-${index + 1}`)
}
